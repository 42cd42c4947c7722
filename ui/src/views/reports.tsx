/** Reports of load tests, simulations and evaluations, opened in place. */
import { useState } from 'preact/hooks';
import * as api from '../api.ts';
import { clock, count } from '../format.ts';
import { Card, Empty, Problem, Table, useAsked } from '../parts/bits.tsx';
import { language, words } from '../words/index.ts';

const EVERY_MS = 10_000;

export function Reports() {
  const text = words().reports;
  const { value, error } = useAsked(api.reports, EVERY_MS);
  const [shown, setShown] = useState<string | null>(null);
  return (
    <>
      <p class="lead">{text.lead}</p>
      <Problem why={error} />
      {value === null ? null : value.dir === false ? (
        <Empty>{text.none}</Empty>
      ) : value.data.length === 0 ? (
        <Empty>{text.empty}</Empty>
      ) : (
        <div class="card">
          <Table
            label={words().nav.reports}
            head={[{ text: text.name, left: true }, text.written, text.size]}
          >
            {value.data.map(({ name, bytes, at }) => (
              <tr key={name}>
                <td class="left wrap">
                  <button
                    type="button"
                    class="quiet"
                    aria-pressed={shown === name}
                    onClick={() => setShown(shown === name ? null : name)}
                  >
                    {name}
                  </button>
                </td>
                <td>{`${new Date(at).toLocaleDateString(language())} ${clock(at)}`}</td>
                <td>{`${count(Math.ceil(bytes / 1000))} kB`}</td>
              </tr>
            ))}
          </Table>
        </div>
      )}
      {shown === null ? null : (
        <Card title={shown} wide>
          <iframe
            class="report"
            title={shown}
            sandbox=""
            src={`/ui/api/report/${encodeURIComponent(shown)}`}
          />
        </Card>
      )}
    </>
  );
}
