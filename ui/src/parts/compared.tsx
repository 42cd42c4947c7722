/** Where a shadow model would have prompts belong, beside the one in force. */
import type { ShadowCounts } from '../../../src/serving/gateway/shadow.ts';
import { count, percent } from '../format.ts';
import { words } from '../words/index.ts';
import { Expert, Table } from './bits.tsx';

const PAIRS_SHOWN = 8;

export function Compared({ shadow: { model, pairs } }: { shadow: ShadowCounts }) {
  const text = words().retraining;
  const all = pairs.reduce((sum, [, , n]) => sum + n, 0);
  const other = pairs.filter(([home, shadow]) => home !== shadow).sort((a, b) => b[2] - a[2]);
  const differ = other.reduce((sum, [, , n]) => sum + n, 0);
  if (all === 0) return <p>{text.nothing(model)}</p>;
  return (
    <>
      <p>{text.compared(model, count(all), percent(differ / all))}</p>
      {other.length === 0 ? null : (
        <Table
          label={text.differences}
          head={[{ text: text.from, left: true }, { text: text.to, left: true }, text.share]}
        >
          {other.slice(0, PAIRS_SHOWN).map(([home, shadow, n]) => (
            <tr key={`${home} ${shadow}`}>
              <td class="left">
                <Expert id={home} />
              </td>
              <td class="left">
                <Expert id={shadow} />
              </td>
              <td>{percent(n / all)}</td>
            </tr>
          ))}
        </Table>
      )}
    </>
  );
}
