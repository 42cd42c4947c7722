/** Whether a Triton answers at a gRPC address, and what it serves. */
import { connect } from 'node:net';
import { describeError } from '../../../core/errors.ts';
import { type EngineFailure, FailureError, failureFrom, systemCode } from '../../engines/failure.ts';
import type { Sighting } from '../../engines/recognise.ts';
import { triton } from '../../engines/triton.ts';
import { connectTriton } from './connect.ts';
import { ServerError, type TritonServer } from './server.ts';

const KSERVE = "KServe's gRPC";
const LATE: EngineFailure = { kind: 'timeout', detail: 'no answer in time' };

/**
 * Never rejects.
 * @param address grpc:// or grpcs://
 * @param within milliseconds for all of it
 */
export async function lookOverGrpc(address: string, within: number): Promise<Sighting> {
  const limit = AbortSignal.timeout(within);
  // First without the gRPC library, which takes longer to load than this check.
  const closed = await refusal(new URL(address), limit);
  if (closed !== null) return closed;
  const deadlines = { connect: within, first: within, idle: within };
  const server = await connectTriton(address, { headers: {}, restrictedApi: {} }, deadlines);
  try {
    return await look(server, limit);
  } catch (error) {
    return limit.aborted ? LATE : failureIn(error);
  } finally {
    server.close();
  }
}

/** Null if connections are accepted. */
function refusal({ hostname, port }: URL, limit: AbortSignal): Promise<EngineFailure | null> {
  return new Promise((resolve) => {
    const socket = connect({
      host: hostname.replace(/^\[|\]$/g, ''),
      port: Number(port || 8001),
      signal: limit,
    });
    socket.on('connect', () => {
      socket.destroy();
      resolve(null);
    });
    socket.on('error', (error) => {
      if (limit.aborted) resolve(LATE);
      else resolve({ kind: 'unreachable', code: systemCode(error), detail: describeError(error) });
    });
  });
}

async function look(server: TritonServer, signal: AbortSignal): Promise<Sighting> {
  const { name, version } = await server.serverMetadata(signal);
  if (name !== 'triton')
    throw new FailureError({
      kind: 'wrong-protocol',
      expected: KSERVE,
      detail: `a server that calls itself '${name}'`,
    });
  const index = await server.repositoryIndex(signal).catch(() => []);
  const ready = new Set(index.filter(({ state }) => state === 'READY').map((model) => model.name));
  return {
    kind: 'engine',
    engine: triton,
    version: version || null,
    models: await textModels(server, [...ready], signal),
    apis: ['kserve'],
  };
}

/** Those that take text: preprocessing and postprocessing steps are models too. */
async function textModels(
  server: TritonServer,
  names: readonly string[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const takesText = async (model: string): Promise<boolean> => {
    const { inputs } = await server.modelMetadata(model, signal);
    return inputs.some(({ name }) => name === 'text_input');
  };
  const taken = await Promise.all(names.map((name) => takesText(name).catch(() => false)));
  return names.filter((_, index) => taken[index]);
}

function failureIn(error: unknown): EngineFailure {
  if (!(error instanceof ServerError)) return failureFrom(error);
  const detail = error.message;
  if (error.fault === 'timeout') return { kind: 'timeout', detail };
  // A server that accepts the connection but does not speak HTTP/2 is not Triton.
  return { kind: 'wrong-protocol', expected: KSERVE, detail };
}
