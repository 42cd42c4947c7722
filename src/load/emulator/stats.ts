/**
 * An emulated server's counters, and its metrics page, which uses vLLM's names so that it can be scraped like a real
 * engine.
 */
import type { EngineState } from './pacer.ts';

export interface ServerStats {
  requests: number;
  /** Answers whose client disconnected before the end. */
  abandoned: number;
  /** Tokens of answers handed to a socket. */
  tokens: number;
  /** Sum of the CRC-32 of every complete stream's body: equal to a client's sum if no byte was lost or altered. */
  streamedCrc: number;
}

export function metricsPage(model: string, state: EngineState, stats: ServerStats): string {
  const label = `{model_name=${JSON.stringify(model)}}`;
  const lines: readonly [name: string, type: 'gauge' | 'counter', value: number][] = [
    ['vllm:num_requests_running', 'gauge', state.running],
    ['vllm:num_requests_waiting', 'gauge', state.waiting],
    ['vllm:kv_cache_usage_perc', 'gauge', state.kvTokens / state.kvCapacity],
    ['vllm:generation_tokens_total', 'counter', stats.tokens],
    ['emulator_requests_total', 'counter', stats.requests],
    ['emulator_abandoned_total', 'counter', stats.abandoned],
    ['emulator_streamed_crc32_total', 'counter', stats.streamedCrc],
  ];
  return lines.map(([name, type, value]) => `# TYPE ${name} ${type}\n${name}${label} ${value}\n`).join('');
}
