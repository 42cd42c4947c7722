/** The forms that OpenAI and Anthropic publish with their SDKs, read from the declarations of types there. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync } from 'oxc-parser';

// biome-ignore lint/suspicious/noExplicitAny: nodes of a syntax tree
type Node = any;

const MODULES = join(import.meta.dirname, '..', '..', 'node_modules');

export class Published {
  readonly #types = new Map<string, Node>();

  /** @param file of declarations, below node_modules */
  constructor(file: string) {
    const source = readFileSync(join(MODULES, file), 'utf8');
    this.#collect(parseSync(file, source).program.body, '');
  }

  /** The fields of an interface. */
  fields(name: string): readonly string[] {
    const declared = this.#types.get(name);
    if (declared?.type !== 'TSInterfaceDeclaration') throw new Error(`no interface ${name}`);
    return this.#members(declared).map(({ key }: Node) => key.name ?? key.value);
  }

  /** What the field `type` may say in each of a union's members; those without one are left out. */
  kinds(union: string): readonly string[] {
    const declared = this.#types.get(union);
    if (declared === undefined) throw new Error(`no type ${union}`);
    if (declared.type === 'TSTypeAliasDeclaration') {
      const { typeAnnotation: named } = declared;
      const names = named.type === 'TSUnionType' ? named.types : [named];
      return [...new Set<string>(names.flatMap((one: Node) => this.kinds(qualified(one.typeName))))];
    }
    const type = this.#members(declared).find(({ key }: Node) => key.name === 'type')?.typeAnnotation;
    const said = type?.typeAnnotation;
    return (said?.type === 'TSUnionType' ? said.types : [said]).flatMap(
      (one: Node) => one?.literal?.value ?? [],
    );
  }

  #members(declared: Node): readonly Node[] {
    const own = declared.body.body.filter(({ type }: Node) => type === 'TSPropertySignature');
    const inherited = declared.extends.flatMap(({ expression }: Node) => {
      const found = this.#types.get(qualified(expression));
      return found?.type === 'TSInterfaceDeclaration' ? this.#members(found) : [];
    });
    return [...own, ...inherited];
  }

  #collect(statements: readonly Node[], within: string): void {
    for (const statement of statements) {
      const declared = statement.declaration ?? statement;
      if (declared?.id === undefined) continue;
      const name = within + qualified(declared.id);
      if (declared.type === 'TSModuleDeclaration') this.#collect(declared.body.body, `${name}.`);
      else if (/^TS(Interface|TypeAlias)Declaration$/.test(declared.type)) this.#types.set(name, declared);
    }
  }
}

function qualified(name: Node): string {
  return name.left ? `${qualified(name.left)}.${name.right.name}` : (name.name ?? '');
}
