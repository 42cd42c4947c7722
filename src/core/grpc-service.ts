/** gRPC services from their `.proto` files, and a server of them on a port. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type Server, ServerCredentials, type ServiceDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

/** Field names as in the file; absent fields are undefined. @param name with its package */
export function grpcService(file: URL, name: string): ServiceDefinition {
  const loaded = loadSync(fileURLToPath(file), {
    keepCase: true,
    longs: Number,
    enums: Number,
    oneofs: true,
  });
  return loaded[name] as unknown as ServiceDefinition;
}

/** @returns `host:port` as bound; rejects with the system's error when it cannot be */
export async function listenGrpc(server: Server, host: string, port: number): Promise<string> {
  const shown = host.includes(':') ? `[${host}]` : host;
  // The library does not tell why it cannot have a port: asked first, the system does.
  const probe = createServer().listen(port, host);
  await once(probe, 'listening');
  await new Promise((resolve) => probe.close(resolve));
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${shown}:${port}`, ServerCredentials.createInsecure(), (error, found) =>
      error ? reject(error) : resolve(found),
    );
  });
  return `${shown}:${bound}`;
}
