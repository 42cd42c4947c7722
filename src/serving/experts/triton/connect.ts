/** Chooses gRPC or HTTP by an address's protocol. Connects at the first call. */
import { HttpServer } from './http-server.ts';
import type { Access, Deadlines, TritonServer } from './server.ts';

/** @param url grpc://, grpcs://, http:// or https:// */
export async function connectTriton(
  url: string,
  access: Access,
  deadlines: Deadlines,
): Promise<TritonServer> {
  const address = new URL(url);
  if (!address.protocol.startsWith('grpc')) return new HttpServer(address, access, deadlines);
  // Loaded only for gRPC: the library takes 18 MB and 55 ms of start-up time (docs/benchmarks.md).
  const { GrpcServer } = await import('./grpc-server.ts');
  return new GrpcServer(address, access, deadlines);
}
