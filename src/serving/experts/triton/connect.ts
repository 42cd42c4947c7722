/** An address → the server behind it: gRPC or HTTP, as its protocol says. Opens nothing before the first call. */
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
  // Its library costs a process 18 MB and its start 55 ms (docs/benchmarks.md), so it is loaded for those alone who speak gRPC.
  const { GrpcServer } = await import('./grpc-server.ts');
  return new GrpcServer(address, access, deadlines);
}
