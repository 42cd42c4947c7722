/**
 * Reads records out of Parquet files, a few thousand rows at a time; nested columns (chats) come as objects and lists.
 */
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';

const ROWS_AT_A_TIME = 4_096;

/** `onShare` is called with the share of the rows just read. */
export async function* parquetRecords(
  path: string,
  onShare: (share: number) => void,
): AsyncGenerator<Record<string, unknown>> {
  const file = await asyncBufferFromFile(path);
  const metadata = await parquetMetadataAsync(file);
  const total = Number(metadata.num_rows);
  for (let rowStart = 0; rowStart < total; rowStart += ROWS_AT_A_TIME) {
    const rowEnd = Math.min(total, rowStart + ROWS_AT_A_TIME);
    yield* await parquetReadObjects({ file, metadata, compressors, rowStart, rowEnd });
    onShare((rowEnd - rowStart) / total);
  }
}
