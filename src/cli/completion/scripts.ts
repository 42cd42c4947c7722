/** Completion scripts as text, one function per shell. Where nothing else fits, they complete file names. */

export interface Known {
  readonly name: string;
  readonly summary: string;
  /** Completions of the first word after the verb: its subcommands, or the choices of its argument. */
  readonly words: readonly { readonly text: string; readonly about: string }[];
  readonly options: readonly KnownOption[];
}

interface KnownOption {
  readonly long: string;
  readonly short: string | null;
  readonly about: string;
  readonly takesValue: boolean;
  readonly choices: readonly string[];
}

const PROGRAM = 'expert-router';

export function bashScript(verbs: readonly Known[]): string {
  const names = [...verbs.map(({ name }) => name), 'help', '--help', '--version'];
  const cases = verbs.map(({ name, words, options }) => {
    const choices = options.filter(({ choices }) => choices.length > 0);
    const offered = [...words.map(({ text }) => text), ...options.map(({ long }) => long)];
    return [
      `    ${name})`,
      ...(choices.length > 0
        ? [
            '      case "$previous" in',
            ...choices.map(
              (one) =>
                `        ${one.long}) COMPREPLY=($(compgen -W "${one.choices.join(' ')}" -- "$word")); return ;;`,
            ),
            '      esac',
          ]
        : []),
      `      COMPREPLY=($(compgen -W "${offered.join(' ')}" -- "$word")) ;;`,
    ].join('\n');
  });
  return `# bash completion of ${PROGRAM}
_expert_router() {
  local word="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ] || { [ "$COMP_CWORD" -eq 2 ] && [ "$previous" = help ]; }; then
    COMPREPLY=($(compgen -W "${names.join(' ')}" -- "$word"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
  esac
}
complete -o default -F _expert_router ${PROGRAM}`;
}

export function zshScript(verbs: readonly Known[]): string {
  const cases = verbs.map(({ name, words, options }) => {
    const first = words.map(({ text, about }) => quoted(about ? `${text}:${about}` : text));
    const lines = options.map(
      ({ long, about, takesValue, choices }) =>
        `        ${quoted(`${long}[${about.replace(/[[\]]/g, '')}]${takesValue ? `:value:${choices.length > 0 ? `(${choices.join(' ')})` : '_files'}` : ''}`)}`,
    );
    const rest = first.length > 0 ? `        '1:word:->words'` : `        '*:file:_files'`;
    const offered =
      first.length > 0
        ? `\n      if [[ $state == words ]]; then words_of=(${first.join(' ')}); _describe word words_of; fi`
        : '';
    return `    ${name})\n      _arguments \\\n${[...lines, rest].join(' \\\n')}${offered} ;;`;
  });
  return `#compdef ${PROGRAM}
# zsh completion of ${PROGRAM}
local state
local -a verbs words_of
verbs=(
${verbs.map(({ name, summary }) => `  ${quoted(`${name}:${summary}`)}`).join('\n')}
)
if (( CURRENT == 2 )); then
  _describe verb verbs
else
  (( CURRENT-- ))
  shift words
  case "$words[1]" in
${cases.join('\n')}
  esac
fi`;
}

export function fishScript(verbs: readonly Known[]): string {
  const first = verbs.map(
    ({ name, summary }) =>
      `complete -c ${PROGRAM} -n __fish_use_subcommand -f -a ${name} -d ${quotedForFish(summary)}`,
  );
  const rest = verbs.flatMap(({ name, words, options }) => {
    const within = `complete -c ${PROGRAM} -n ${quotedForFish(`__fish_seen_subcommand_from ${name}`)}`;
    return [
      ...words.map(({ text, about }) => `${within} -f -a ${text} -d ${quotedForFish(about)}`),
      ...options.map(({ long, short, about, takesValue, choices }) => {
        const value =
          choices.length > 0 ? ` -x -a ${quotedForFish(choices.join(' '))}` : takesValue ? ' -r' : '';
        return `${within} -l ${long.slice(2)}${short ? ` -s ${short.slice(1)}` : ''}${value} -d ${quotedForFish(about)}`;
      }),
    ];
  });
  return [`# fish completion of ${PROGRAM}`, ...first, ...rest].join('\n');
}

/** Quotes any text as one word for bash or zsh. */
function quoted(text: string): string {
  return `'${oneLine(text).replaceAll("'", `'\\''`)}'`;
}

function quotedForFish(text: string): string {
  return `'${oneLine(text).replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

const oneLine = (text: string): string => text.replace(/\s+/g, ' ');
