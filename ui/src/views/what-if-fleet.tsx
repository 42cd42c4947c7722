/** What each expert is, and what it would be. */
import type { WhatIfOptions } from '../../../src/serving/board/what-if.ts';
import { Card, Expert, Table } from '../parts/bits.tsx';
import { Numbered } from '../parts/numbered.tsx';
import { words } from '../words/index.ts';
export type Fleet = WhatIfOptions['experts'];
type One = Fleet[string];

const MOST_REPLICAS = 64;
const DEGREES = ['1', '2', '4', '8'];

export function FleetTable(props: {
  options: WhatIfOptions;
  fleet: Fleet;
  would: Fleet;
  onFleet(fleet: Fleet): void;
  onWould(would: Fleet): void;
}) {
  const { options, fleet, would, onFleet, onWould } = props;
  const text = words().whatIf;
  const left = (label: string) => ({ text: label, left: true }) as const;
  return (
    <Card title={text.fleet} wide>
      <p class="hint">{text.fleetHint}</p>
      <div class="fleet">
        <Table label={text.fleet} head={[left(words().now.columns.expert), left(text.as), left(text.would)]}>
          {Object.entries(fleet).map(([id, one]) => (
            <tr key={id}>
              <td class="left">
                <Expert id={id} />
              </td>
              <td class="left" data-label={text.as}>
                <Fields
                  options={options}
                  name={`${id}, ${text.as}`}
                  one={one}
                  onOne={(next) => onFleet({ ...fleet, [id]: next })}
                />
              </td>
              <td class="left" data-label={text.would}>
                <Fields
                  options={options}
                  name={`${id}, ${text.would}`}
                  one={would[id] ?? one}
                  onOne={(next) => onWould({ ...would, [id]: next })}
                />
              </td>
            </tr>
          ))}
        </Table>
      </div>
    </Card>
  );
}

function Fields(props: { options: WhatIfOptions; name: string; one: One; onOne(one: One): void }) {
  const { options, name, one, onOne } = props;
  const text = words().whatIf;
  const choice = (
    field: 'model' | 'gpu' | 'degree',
    value: string,
    values: readonly string[],
    change: (next: string) => Partial<One>,
  ) => (
    <select
      aria-label={text.of(text[field], name)}
      value={value}
      onChange={({ currentTarget }) => onOne({ ...one, ...change(currentTarget.value) })}
    >
      {values.map((option) => (
        <option key={option}>{option}</option>
      ))}
    </select>
  );
  return (
    <span class="row fields">
      <span>
        <Numbered
          hidden
          whole
          label={text.of(text.replicas, name)}
          value={one.replicas}
          most={MOST_REPLICAS}
          onValue={(replicas) => onOne({ ...one, replicas })}
        />
        {'×'}
        {choice('model', one.model, options.models, (model) => ({ model }))}
      </span>
      <span>
        {choice('degree', String(one.tensor_parallel), DEGREES, (degree) => ({
          tensor_parallel: Number(degree) as One['tensor_parallel'],
        }))}
        {'×'}
        {choice('gpu', one.gpu, options.gpus, (gpu) => ({ gpu }))}
      </span>
    </span>
  );
}
