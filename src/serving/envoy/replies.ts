/** Envoy's own answers, as clients of OpenAI's and Anthropic's APIs read errors: both find their fields in one body. */
import { typed } from './values.ts';

interface Reply {
  /** Of the response flags in Envoy's log; null for the choice that could not be had. */
  readonly flags: readonly string[] | null;
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

const REPLIES: readonly Reply[] = [
  {
    flags: ['UF', 'UH', 'UC', 'UR', 'URX', 'UPE'],
    status: 502,
    code: 'expert_unreachable',
    message: 'The expert chosen cannot be reached.',
  },
  {
    flags: ['UT', 'SI', 'DPE'],
    status: 504,
    code: 'expert_timeout',
    message: 'No whole answer within the time that a request may take.',
  },
  {
    flags: null,
    status: 503,
    code: 'shutting_down',
    message: 'The router that chooses experts cannot be reached.',
  },
];

export function localReplies(): object {
  return { mappers: REPLIES.map(mapper) };
}

function mapper({ flags, status, code, message }: Reply): object {
  const error = { message, type: 'api_error', param: null, code };
  return {
    filter: flags === null ? ofTheChoice() : { response_flag_filter: { flags } },
    status_code: status,
    body_format_override: {
      text_format_source: { inline_string: `${JSON.stringify({ type: 'error', error })}\n` },
      content_type: 'application/json',
    },
    headers_to_add: [
      { header: { key: 'retry-after', value: '1' }, append_action: 'OVERWRITE_IF_EXISTS_OR_ADD' },
    ],
  };
}

/** What the external processor answers itself passes as it is; only that it did not answer is told here. */
function ofTheChoice(): object {
  return {
    extension_filter: {
      name: 'envoy.access_loggers.extension_filters.cel',
      typed_config: typed('envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter', {
        expression: "response.code_details.startsWith('ext_proc_error')",
      }),
    },
  };
}
