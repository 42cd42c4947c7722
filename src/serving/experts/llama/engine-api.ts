/**
 * The part of node-llama-cpp this product uses, as structural types: the engine is not a dependency, so its own
 * types cannot be imported. Nothing here runs.
 */

/** A vocabulary entry; the engine brands it, for us it is a number. */
export type Token = number;

export interface EngineModule {
  getLlama(options: {
    gpu: 'auto' | false;
    build: 'never';
    skipDownload: boolean;
    progressLogs: boolean;
    logLevel: string;
    logger(level: string, message: string): void;
    maxThreads: number;
  }): Promise<Llama>;
  readonly LlamaGrammarEvaluationState: new (options: {
    readonly model: Model;
    readonly grammar: Grammar;
  }) => GrammarState;
  readonly TokenBias: { for(model: Model): TokenBias };
}

/** Leans an answer to tokens, or away from them. */
export interface TokenBias {
  set(token: Token, bias: { readonly logit: number }): TokenBias;
}

/** What the tokens of an answer may be; opaque here. */
export interface Grammar {
  readonly trimWhitespaceSuffix: boolean;
}
/** How far one answer has got in a grammar. */
export interface GrammarState {
  readonly model: Model;
}

export interface Llama {
  readonly gpu: string | false;
  loadModel(options: { modelPath: string; loadSignal?: AbortSignal }): Promise<Model>;
  /** @param schema in the subset of JSON schemas that it documents */
  createGrammarForJsonSchema(schema: Readonly<Record<string, unknown>>): Promise<Grammar>;
  getGrammarFor(kind: 'json'): Promise<Grammar>;
  dispose(): Promise<void>;
}

export interface Model {
  readonly trainContextSize: number;
  readonly fileInfo: { readonly metadata: { readonly tokenizer?: { readonly chat_template?: string } } };
  readonly tokens: {
    readonly bos: Token | null;
    readonly bosString: string | null;
    readonly eosString: string | null;
    readonly shouldPrependBosToken: boolean;
  };
  tokenize(text: string, specialTokens?: boolean): Token[];
  detokenize(tokens: readonly Token[], specialTokens?: boolean, lastTokens?: readonly Token[]): string;
  createContext(options: {
    contextSize: number;
    sequences: number;
    threads: number;
    createSignal?: AbortSignal;
  }): Promise<Context>;
  dispose(): Promise<void>;
}

export interface Context {
  readonly contextSize: number;
  getSequence(): Sequence;
  dispose(): Promise<void>;
}

export interface Sequence {
  readonly nextTokenIndex: number;
  compareContextTokens(tokens: Token[]): { readonly firstDifferentIndex: number };
  adaptStateToTokens(tokens: Token[], allowShift?: boolean): Promise<void>;
  clearHistory(): Promise<void>;
  evaluate(tokens: Token[], options: EvaluateOptions): AsyncGenerator<Token, void, undefined>;
  evaluateWithoutGeneratingNewTokens(tokens: Token[]): Promise<void>;
}

export interface EvaluateOptions {
  readonly grammarEvaluationState?: GrammarState;
  readonly tokenBias?: () => TokenBias;
  readonly temperature: number;
  readonly topP: number;
  readonly topK: number;
  readonly seed: number;
  readonly repeatPenalty: {
    punishTokens(): Token[];
    readonly maxPunishTokens: number;
    readonly penalty: number;
    readonly frequencyPenalty: number;
    readonly presencePenalty: number;
  };
}

/** The template engine that comes along with node-llama-cpp. */
export interface JinjaModule {
  readonly Template: new (source: string) => { render(values: Record<string, unknown>): string };
}
