/**
 * The names of OpenTelemetry's GenAI conventions that metrics and spans use, and our own beside them: the one place to
 * follow the conventions, which are still in development (open-telemetry/semantic-conventions-genai, as of June 2026).
 */

/** Seconds; as the conventions recommend for `gen_ai.server.time_to_first_token`, and on to a minute. */
export const FIRST_TOKEN_BUCKETS = [
  0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 15, 20, 30, 45, 60,
];
/** Seconds; as recommended for `gen_ai.server.time_per_output_token`. */
export const PER_TOKEN_BUCKETS = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5];
/** Seconds; as recommended for `gen_ai.server.request.duration`. */
export const DURATION_BUCKETS = [
  0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
];
/** Tokens; as recommended for `gen_ai.client.token.usage`, to a million. */
export const TOKEN_BUCKETS = [1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576];

/** Names of metrics, with the conventions' dots as Prometheus writes them. */
export const GENAI_METRICS = {
  firstToken: 'gen_ai_server_time_to_first_token_seconds',
  perToken: 'gen_ai_server_time_per_output_token_seconds',
  duration: 'gen_ai_server_request_duration_seconds',
  tokens: 'gen_ai_client_token_usage_tokens',
} as const;

/** Labels of all of them. */
export const GENAI_LABELS = [
  'gen_ai_operation_name',
  'gen_ai_provider_name',
  'gen_ai_request_model',
] as const;

/** `gen_ai.provider.name` of what this gateway answers: whoever is behind it stands in the label of the expert. */
export const PROVIDER = 'expert_router';

/** `gen_ai.operation.name` of a request. @param dialect id of the client's dialect */
export function operationOf(dialect: string): string {
  return dialect === 'openai-completions' ? 'text_completion' : 'chat';
}

/** Attributes of spans. */
export const ATTRIBUTES = {
  operation: 'gen_ai.operation.name',
  provider: 'gen_ai.provider.name',
  conversation: 'gen_ai.conversation.id',
  requestModel: 'gen_ai.request.model',
  stream: 'gen_ai.request.stream',
  inputTokens: 'gen_ai.usage.input_tokens',
  outputTokens: 'gen_ai.usage.output_tokens',
  cachedTokens: 'gen_ai.usage.cache_read.input_tokens',
  errorType: 'error.type',
  method: 'http.request.method',
  route: 'http.route',
  status: 'http.response.status_code',
  /** Of no convention: none covers routing (gen_ai.gateway.* is a proposal). */
  expert: 'expert_router.expert',
  home: 'expert_router.home',
  replica: 'expert_router.replica',
  reason: 'expert_router.reason',
  cluster: 'expert_router.cluster',
  clusterName: 'expert_router.cluster.name',
  confidence: 'expert_router.confidence',
  margin: 'expert_router.margin',
  outside: 'expert_router.outside',
  expectedWait: 'expert_router.expected_wait',
  tries: 'expert_router.tries',
  cost: 'expert_router.cost_usd',
  try: 'expert_router.try',
} as const;
