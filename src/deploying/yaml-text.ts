/** YAML with a comment above it. */
import { stringify } from 'yaml';

export function yamlText(comment: string, value: unknown): string {
  const above = comment.split('\n').map((line) => `# ${line}`.trimEnd());
  return `${above.join('\n')}\n${stringify(value, { lineWidth: 0, aliasDuplicateObjects: false })}`;
}
