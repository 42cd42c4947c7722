/** What to do about a fault: what the engine's file says, else what helps at any engine. */
import { nearestName } from '../../core/suggest.ts';
import type { EngineFacts } from '../engines/engine.ts';
import type { Fault } from './fault.ts';

const LOG = 'look into the log of the engine';
const NETWORK = 'check the network and firewall between here and url, and whether the engine hangs';
const ENGINE_ITSELF = 'point url at the engine itself';
const ANOTHER_SERVICE = 'point url at the engine itself: another service answers there';
const CUT = 'look for a proxy that cuts, or an engine that restarts, in mid-answer';
const KEY = 'set api_key, as in api_key: ${NAME}';

const BY_KIND: Readonly<Record<Fault['kind'], string>> = {
  unreachable: NETWORK,
  timeout: NETWORK,
  cut: CUT,
  'wrong-protocol': ANOTHER_SERVICE,
  unauthorized: KEY,
  status: LOG,
  loading: 'wait until its model is loaded',
  'not-loaded': 'load the model there, or correct model',
  foreign: ANOTHER_SERVICE,
  several: 'give each engine a port of its own; whichever answers, half of the requests go wrong',
  'wrong-model': 'set model to one of these',
  'not-metrics': 'set metrics_url, or false to do without',
  'unknown-metrics': 'set metrics_url, or false to do without',
  closed: 'start it again',
  other: LOG,
  config: 'correct the config',
  'error-in-answer': LOG,
  'not-an-answer': ENGINE_ITSELF,
  'not-utf8': 'update the engine',
  'no-done': CUT,
  'not-cancelled':
    'look for a proxy that keeps the connection to the engine open, or others who use it meanwhile',
  'no-metrics': 'set metrics_url where it has a page of metrics',
  'unreadable-metrics': 'set metrics_url, or false to do without',
};

const BY_STATUS: Readonly<Record<number, string>> = {
  400: 'the engine refuses the request: see its message, and whether the model has a chat template',
  401: KEY,
  403: 'the key is not allowed to use this model',
  404: 'correct model, or the path in url',
  429: 'the engine is full, or the account has no credit: ask again later',
  503: 'wait until its model is loaded',
};

const BY_CODE: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'start the engine there, or correct the port in url',
  ENOTFOUND: 'correct the host name in url; it is not known here',
  EAI_AGAIN: 'correct the host name in url; it is not known here',
};

/** Codes of OpenSSL and of Node's checks of certificates. */
const TLS = /^(ERR_(SSL|TLS)_|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|EPROTO$)/;

/** @param engine null where it is not known */
export function cureOf(fault: Fault, engine: EngineFacts | null): string {
  const general = BY_KIND[fault.kind];
  switch (fault.kind) {
    case 'unreachable': {
      const code = fault.code ?? '';
      if (TLS.test(code)) return 'check http against https in url, and the certificate';
      return BY_CODE[code] ?? engine?.cures?.unreachable ?? general;
    }
    case 'status':
      return engine?.cures?.[`status ${fault.status}`] ?? BY_STATUS[fault.status] ?? general;
    case 'wrong-model': {
      const { wanted, served } = fault;
      const near = nearestName(wanted, served) ?? (served.length === 1 ? served[0] : null);
      return near ? `did you mean model: ${near}?` : (engine?.cures?.['wrong-model'] ?? general);
    }
    case 'no-metrics':
      return engine?.metrics?.cure ?? general;
    default:
      return (engine?.cures as Readonly<Record<string, string>> | undefined)?.[fault.kind] ?? general;
  }
}
