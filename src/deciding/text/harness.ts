/**
 * What programs put around a person's words: blocks that they insert, tags that they wrap the words in, and templates of
 * retrieval and of side requests. One line each; what is found here is known by its form, never by its topic.
 */

/** Blocks that the program wrote, from the opening to the closing mark: context. */
export const INSERTED: readonly (readonly [string, string])[] = [
  ['<system-reminder>', '</system-reminder>'], // Claude Code
  ['<local-command-stdout>', '</local-command-stdout>'],
  ['<environment_context>', '</environment_context>'], // Codex
  ['<user_instructions>', '</user_instructions>'],
  ['<INSTRUCTIONS>', '</INSTRUCTIONS>'],
  ['<environment_details>', '</environment_details>'], // Cline, Roo Code
  ['<file_content', '</file_content>'],
  ['<attached_files>', '</attached_files>'], // Cursor
  ['<additional_data>', '</additional_data>'],
  ['<context>', '</context>'], // Open WebUI and many others
  ['<documents>', '</documents>'],
  ['<document>', '</document>'],
  ['<tool_result>', '</tool_result>'],
  ['<function_results>', '</function_results>'],
  ['<attachments>', '</attachments>'], // Copilot
  ['<reminderInstructions>', '</reminderInstructions>'],
  ['<instructions>', '</instructions>'], // as makers of models advise to write prompts
  ['<rules>', '</rules>'],
  ['<guidelines>', '</guidelines>'],
  ['<examples>', '</examples>'],
  ['<example>', '</example>'],
];

/** Of those, what says how to answer: nobody's topic, while files and passages are what the question is about. */
export const SETTINGS = /^<(?:system|env|user|reminder|instructions|rules|guidelines|example)/;

/** Tags around what the person asked. */
export const WRAPPED: readonly (readonly [string, string])[] = [
  ['<task>', '</task>'], // Cline
  ['<user_message>', '</user_message>'],
  ['<user_query>', '</user_query>'], // Cursor
  ['<feedback>', '</feedback>'],
  ['<question>', '</question>'],
  ['<query>', '</query>'],
  ['<userRequest>', '</userRequest>'], // Copilot
  ['<user_request>', '</user_request>'],
  ['<user_input>', '</user_input>'],
];

/** What follows `</` of a tag that ends the turn, by names for what was asked. */
export const WRAPPED_LAST =
  /^([a-z_-]{0,20}(?:input|message|prompt|request|question|query|customer|email|user))>$/;

/** Names for the person's words, at the beginning of a line behind other paragraphs. */
export const LABEL =
  /^(?:(?:user['’]?s? |customer['’]?s? |my |the )?(?:question|query|message|request|inquiry)|質問|メッセージ|依頼|問い合わせ|ユーザーの質問|frage|anfrage|nachricht)\s?[:：]/gim;

/** How a prompt says where the person's words are, and the marks around them, which then end the turn. */
export const DELIMITED = /\b(?:delimited|enclosed|surrounded|separated) by\b/i;
export const DELIMITERS: readonly string[] = ['"""', "'''", '####', '---'];

/**
 * Templates of retrieval: the person's words stand between the last of these two marks; a mark begins a line. What comes
 * before is retrieved.
 */
export const ANSWERED: readonly (readonly [string, string])[] = [
  ['Question:', 'Helpful Answer:'], // LangChain
  ['Question:', 'Answer:'],
  ['Query:', 'Answer:'], // LlamaIndex
  ['User question:', 'Answer:'],
  ['Question:', 'Thought:'], // ReAct
  ['Q:', 'A:'], // examples before the question
  ['Input:', 'Output:'],
  ['Human:', 'Assistant:'],
  ['Human:', 'AI:'],
  ['User:', 'Assistant:'],
  ['質問:', '回答:'],
  ['質問：', '回答：'],
];

/**
 * Side requests about a conversation, such as for its title: how their user turn begins, and the marks of the last person's
 * turn in them, where they quote the conversation.
 */
export const SIDE_REQUESTS: readonly {
  readonly begins: string;
  readonly turn?: readonly [string, string];
}[] = [
  { begins: '### Task:', turn: ['USER:', 'ASSISTANT:'] }, // Open WebUI: titles, tags, follow-ups
  { begins: 'Create a concise, 3-5 word', turn: ['USER:', 'ASSISTANT:'] },
  { begins: 'Provide a concise, 5-word-or-less title', turn: ['User:', 'AI:'] }, // LibreChat
  { begins: 'Please write a 5-10 word title' }, // Claude Code
  { begins: 'Generate a title for this conversation' }, // opencode
];

/** System prompts of side requests. */
export const SIDE_PROMPTS: readonly string[] = [
  'Analyze if this message indicates a new conversation topic', // Claude Code
  'Summarize this coding conversation in under 50 characters',
  'You are a title generator', // opencode
  'You are a helpful AI assistant tasked with summarizing conversations', // Claude Code, opencode
];

/** Lines that a program wrote: attribution headers and names of tool results. */
export const PROGRAM_LINES: readonly string[] = [
  'x-anthropic-billing-header:',
  '[Tool result',
  '[tool result',
  'Tool output:',
];

/** User turns that only hand over files. */
export const FILE_TURNS: readonly string[] = [
  'I have *added these files to the chat*', // Aider
  'Here are summaries of some files present in my git repo',
  'Here are *read-only* files',
];

/** System prompts of programs that say nothing of what the person asks. */
export const PROGRAM_PROMPTS: readonly string[] = [
  'interactive CLI tool', // Claude Code, Qwen Code
  'interactive CLI agent', // Gemini CLI
  'coding agent running in', // Codex
  'You are Cline',
  'You are Roo',
  'You are opencode',
  'Act as an expert software developer', // Aider
  'agent mode', // Continue
  'You are a powerful agentic AI coding assistant', // Cursor
];

/** Sentences of politeness and transition, which say nothing of the subject. */
const COURTESIES: readonly RegExp[] = [
  /^(?:hi|hello|hey|dear|good (?:morning|afternoon|evening)|sorry|excuse me|i hope you)\b[^?]{0,60}$/i,
  /^(?:many )?thank(?:s| you)(?: in advance| a lot| very much| so much)?[.!\s]*$/i,
  /^(?:please )?(?:take your time|take a deep breath|let['’]s think|think step by step|think carefully|be concise|be brief)\b[^?]{0,80}$/i,
  /^(?:please )?think (?:about (?:it|this)|hard|first|before)\b[^?]{0,80}$/i,
  /^(?:another question|something else|now to something different|on another note)[.!:\s]*$/i,
  /^(?:hallo|guten (?:morgen|tag|abend)|danke(?: im voraus)?|vielen dank|andere frage|etwas anderes)[.!:\s]*$/i,
  /^(?:bonjour|bonsoir|merci(?: d['’]avance)?|autre (?:chose|question))[.!:\s]*$/i,
  /^(?:こんにちは|お世話になっております|すみません|別の質問です|話は変わります|よろしくお願いします|ありがとうございます)[。．!！\s]*$/,
];

/** Any of them, in one. */
export const COURTESY = new RegExp(COURTESIES.map(({ source }) => source).join('|'), 'i');

/** What leads to a question, up to a colon: a label, or words of transition. */
export const LEAD_IN =
  /^(?:(?:message|question|user|input|prompt|query|request|frage|nachricht|anfrage|demande|質問|依頼)\s{0,3}[:：]\s*)|^[^:\n]{0,120}\b(?:following|question|help me with|wondering|something else|frage|etwas anderes|question suivante|autre chose)\b[^:\n]{0,40}:\s+/i;
