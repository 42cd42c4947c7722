/** The nearest and the second nearest centroid of a point: the innermost loop of training. */
import { LANES, type MatrixKernels, matrixKernels } from '../../core/matrix-kernels.ts';

/** Vectors to which the distances of a point are measured, all at once. */
export class DistanceTable {
  /** Rows in the table. */
  readonly count: number;
  readonly #rows: Float32Array;
  readonly #dimensions: number;
  readonly #kernels: MatrixKernels | null;
  /** In the kernels' memory, where there are kernels: a point, its distances, and the rows by blocks. */
  #point: Float32Array;
  #distances: Float32Array;

  /** @param rows count × dimensions, read at once and again whenever another table was used in between @param plain without SIMD */
  constructor(rows: Float32Array, dimensions: number, plain = false) {
    this.#rows = rows;
    this.#dimensions = dimensions;
    this.count = rows.length / dimensions;
    this.#point = new Float32Array(dimensions);
    this.#distances = new Float32Array(this.count);
    const kernels = plain || rows.length === 0 ? null : matrixKernels('distances');
    this.#kernels = kernels && this.#laidOut(kernels) ? kernels : null;
  }

  /**
   * Squared distances from the point that starts at `at` in `values` to each row, in single precision, summed in the order
   * of the dimensions. Valid until the next call of any table; entries behind the last row are meaningless.
   */
  from(values: Float32Array, at: number): Float32Array {
    const kernels = this.#kernels;
    if (kernels === null) return this.#plain(values, at);
    if (!kernels.belongsTo(this)) this.#laidOut(kernels);
    const point = this.#point;
    for (let j = 0; j < point.length; j += 1) point[j] = values[at + j]!;
    const { byteOffset: into, byteLength } = this.#distances;
    const blocks = into + byteLength;
    kernels.run.distances(point.byteOffset, blocks, this.#distances.length / LANES, point.length, into);
    return this.#distances;
  }

  #laidOut(kernels: MatrixKernels): boolean {
    const width = this.#dimensions;
    const padded = Math.ceil(this.count / LANES) * LANES;
    const aligned = Math.ceil(width / 4) * 4;
    const memory = kernels.claim(this, 4 * (aligned + padded + padded * width));
    if (memory === null) return false;
    this.#point = new Float32Array(memory, 0, width);
    this.#distances = new Float32Array(memory, 4 * aligned, padded);
    const blocks = new Float32Array(memory, 4 * (aligned + padded), padded * width);
    for (let row = 0; row < this.count; row += 1) {
      const lane = row % LANES;
      const to = (row - lane) * width + lane;
      for (let j = 0; j < width; j += 1) blocks[to + j * LANES] = this.#rows[row * width + j]!;
    }
    return true;
  }

  #plain(values: Float32Array, at: number): Float32Array {
    const width = this.#dimensions;
    for (let row = 0; row < this.count; row += 1) {
      let sum = 0;
      for (let j = 0; j < width; j += 1) {
        const difference = Math.fround(values[at + j]! - this.#rows[row * width + j]!);
        sum = Math.fround(sum + Math.fround(difference * difference));
      }
      this.#distances[row] = sum;
    }
    return this.#distances;
  }
}

/** Finds centroids for one point after another. */
export class NearestCentroid {
  /** Of the last point that was asked for. */
  cluster = 0;
  /** Squared distances to the nearest and second nearest; `second` is Infinity with a single centroid. */
  first = Number.POSITIVE_INFINITY;
  second = Number.POSITIVE_INFINITY;
  readonly #table: DistanceTable;

  /** @param centroids k × dimensions, which must not move while it is used */
  constructor(centroids: Float32Array, dimensions: number, plain = false) {
    this.#table = new DistanceTable(centroids, dimensions, plain);
  }

  /** Looks for the point that starts at `at` in `values`; equally near ones go by number. */
  find(values: Float32Array, at: number): void {
    const distances = this.#table.from(values, at);
    let cluster = 0;
    let first = Number.POSITIVE_INFINITY;
    let second = Number.POSITIVE_INFINITY;
    for (let one = 0; one < this.#table.count; one += 1) {
      const distance = distances[one]!;
      if (distance < first) {
        second = first;
        first = distance;
        cluster = one;
      } else if (distance < second) second = distance;
    }
    this.cluster = cluster;
    this.first = first;
    this.second = second;
  }
}
