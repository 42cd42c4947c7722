/**
 * `npm run fit:tables -- <systems folder>`: thins AIConfigurator's measured kernels to the small tables in
 * `evaluation/data/` that the fit reads. The folder is `aiconfigurator_core/systems` of the unpacked Python package
 * aiconfigurator-core 0.12.0 (Apache-2.0).
 */
import { existsSync } from 'node:fs';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { UserError } from '../src/core/errors.ts';
import { writeFileAtomically } from '../src/core/files.ts';
import { seededRandom } from '../src/core/random.ts';
import { FAMILIES, type Family, SYSTEMS } from './fit/systems.ts';
import { runScript } from './script.ts';

type Row = Readonly<Record<string, unknown>>;

interface Table {
  readonly name: string;
  /** Files below a family's folder; missing ones are left out. */
  readonly files: (version: string) => readonly string[];
  readonly columns: readonly string[];
  readonly read?: (row: Row) => Row;
  readonly usable: (row: Row) => boolean;
  /** Rows are thinned to `most` within each value of this. */
  readonly within: (row: Row) => string;
  readonly most: number;
}

const number = (row: Row, key: string): number => Number(row[key]);

const ATTENTION = [
  'batch_size',
  'isl',
  'step',
  'num_heads',
  'num_key_value_heads',
  'head_dim',
  'attn_dtype',
  'kv_cache_dtype',
];
/** Contexts of serving, in layers that attend to everything. */
const plainAttention = (row: Row): boolean =>
  !(number(row, 'window_size') > 0) &&
  number(row, 'head_dim') <= 256 &&
  number(row, 'num_heads') >= 4 &&
  usualContext(row);
const usualContext = (row: Row): boolean => {
  const tokens = number(row, 'isl') + number(row, 'step');
  return tokens >= 64 && tokens <= 16_384;
};

const TABLES: readonly Table[] = [
  {
    name: 'gemm',
    files: (v) => [`gemm/trtllm/${v}/gemm_perf.parquet`],
    columns: ['gemm_dtype', 'm', 'n', 'k'],
    // Shapes of serving: products that are vocabulary-sized on both sides would only weigh on the fit.
    usable: (r) =>
      ['bfloat16', 'fp8', 'nvfp4'].includes(String(r.gemm_dtype)) &&
      number(r, 'm') <= 8192 &&
      Math.min(number(r, 'n'), number(r, 'k')) >= 512 &&
      number(r, 'n') * number(r, 'k') < 4e8,
    within: (r) => String(r.gemm_dtype),
    most: 600,
  },
  {
    name: 'moe',
    files: (v) => [`moe/trtllm/${v}/moe_perf.parquet`],
    columns: ['moe_dtype', 'num_tokens', 'hidden_size', 'inter_size', 'topk', 'num_experts', 'moe_tp_size'],
    // 4-bit experts of gpt-oss run beside 16-bit activations on Hopper and beside 8-bit ones on Blackwell.
    read: (r) => ({ ...r, moe_dtype: String(r.moe_dtype).replace(/^w4a\d+_mxfp4.*/, 'mxfp4') }),
    usable: (r) =>
      ['bfloat16', 'fp8', 'nvfp4', 'mxfp4'].includes(String(r.moe_dtype)) &&
      r.distribution === 'power_law_1.01' &&
      number(r, 'moe_ep_size') === 1 &&
      number(r, 'moe_tp_size') <= 8 &&
      number(r, 'num_tokens') <= 8192 &&
      !String(r.kernel_source).includes('nongated'),
    within: (r) => String(r.moe_dtype),
    most: 450,
  },
  {
    name: 'decode',
    files: (v) => [`attention/trtllm/${v}/generation_attention_perf.parquet`],
    columns: ATTENTION,
    usable: plainAttention,
    within: (r) => `${r.kv_cache_dtype} ${r.num_heads === r.num_key_value_heads}`,
    most: 350,
  },
  {
    name: 'prefill',
    files: (v) => [`attention/trtllm/${v}/context_attention_perf.parquet`],
    columns: ATTENTION,
    // An FP8 cache is served with FP8 attention; a 16-bit one with 16-bit.
    usable: (r) => plainAttention(r) && r.attn_dtype === r.kv_cache_dtype,
    within: (r) => String(r.kv_cache_dtype),
    most: 500,
  },
  {
    name: 'latent',
    files: (v) => [`mla/trtllm/${v}/generation_mla_perf.parquet`, `mla/trtllm/${v}/context_mla_perf.parquet`],
    columns: ['op_name', 'kv_cache_dtype', 'num_heads', 'batch_size', 'isl', 'step'],
    usable: (r) => usualContext(r) && number(r, 'num_heads') >= 8,
    within: (r) => `${r.op_name} ${r.kv_cache_dtype}`,
    most: 250,
  },
  {
    name: 'all-reduce',
    files: (v) => [`comm/trtllm/${v}/custom_allreduce_perf.parquet`],
    columns: ['num_gpus', 'message_size'],
    usable: () => true,
    within: () => '',
    most: 1000,
  },
];

async function readRows(folder: string, table: Table, family: Family): Promise<readonly Row[]> {
  const { folder: system, version } = SYSTEMS[family];
  const rows: Row[] = [];
  for (const file of table.files(version)) {
    const path = `${folder}/data/${system}/${file}`;
    if (!existsSync(path)) continue;
    const read = await parquetReadObjects({ file: await asyncBufferFromFile(path), compressors });
    for (const row of (read as Row[]).map(table.read ?? ((r) => r))) if (table.usable(row)) rows.push(row);
  }
  return fastest(rows, table);
}

/** Of several kernels for one case an engine takes the fastest. */
function fastest(rows: readonly Row[], table: Table): readonly Row[] {
  const best = new Map<string, Row>();
  for (const row of rows) {
    const key = table.columns.map((column) => String(row[column])).join(',');
    const known = best.get(key);
    if (!known || number(row, 'latency') < number(known, 'latency')) best.set(key, row);
  }
  return [...best.values()];
}

function thin(rows: readonly Row[], table: Table, random: () => number): readonly Row[] {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const group = groups.get(table.within(row));
    if (group) group.push(row);
    else groups.set(table.within(row), [row]);
  }
  return [...groups.values()].flatMap((group) => {
    const keep = table.most / group.length;
    return group.filter(() => random() < keep);
  });
}

await runScript(async () => {
  const folder = process.argv[2];
  if (!folder || !existsSync(`${folder}/data`))
    throw new UserError(
      'fit:tables: give the folder aiconfigurator_core/systems of the unpacked package aiconfigurator-core.',
    );
  for (const table of TABLES) {
    const random = seededRandom(1);
    const lines = [['family', ...table.columns, 'us'].join(',')];
    for (const family of FAMILIES) {
      const rows = thin(await readRows(folder, table, family), table, random.next);
      for (const row of rows)
        lines.push(
          [
            family,
            ...table.columns.map((column) => String(row[column])),
            (1000 * number(row, 'latency')).toPrecision(4),
          ].join(','),
        );
      console.log(`${table.name} ${family}: ${rows.length} rows`);
    }
    await writeFileAtomically(`evaluation/data/${table.name}.csv`, `${lines.join('\n')}\n`);
  }
});
