/** Other addresses by which clients ask for the same: without `/v1`, below `/openai`, and Azure's deployments. Pure. */

export interface Spelled {
  /** As in the table of routes, with the query as sent. */
  readonly path: string;
  /** The model that the address names; it outranks the one in the body. */
  readonly model?: string;
}

const SHORT =
  /^\/(?:openai\/(?:v1\/)?)?((?:chat\/completions|completions|embeddings|responses|models)(?:[/?].*)?)$/;
const DEPLOYMENT =
  /^\/openai\/deployments\/([^/?]+)\/((?:chat\/completions|completions|embeddings|audio\/\w+|images\/\w+)(?:\?.*)?)$/;

export function usualPath(path: string): Spelled {
  if (path.startsWith('/v1/')) return { path };
  const short = SHORT.exec(path);
  if (short) return { path: `/v1/${short[1]}` };
  const deployed = DEPLOYMENT.exec(path);
  return deployed ? { path: `/v1/${deployed[2]}`, model: decoded(deployed[1]!) } : { path };
}

/** As it is where it is no percent-encoding: then it is no name either. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
