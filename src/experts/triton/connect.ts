/** An address → the server behind it: gRPC or HTTP, as its protocol says. Opens nothing before the first call. */
import { GrpcServer } from './grpc-server.ts';
import { HttpServer } from './http-server.ts';
import type { Access, Deadlines, TritonServer } from './server.ts';

/** @param url grpc://, grpcs://, http:// or https:// */
export function connectTriton(url: string, access: Access, deadlines: Deadlines): TritonServer {
  const address = new URL(url);
  return address.protocol.startsWith('grpc')
    ? new GrpcServer(address, access, deadlines)
    : new HttpServer(address, access, deadlines);
}
