/**
 * Numbers in ascending order that lie as near as can be to those that are wished for (least squares, weighted), each at
 * least `apart[i]` after the one before it; `apart[0]` counts for nothing. Linear: the pool-adjacent-violators algorithm.
 */
export function placedApart(
  wished: ArrayLike<number>,
  weights: ArrayLike<number>,
  apart: ArrayLike<number>,
): Float64Array {
  const count = wished.length;
  // With the distances taken away, all that is asked for is that no number is lower than the one before.
  const offsets = new Float64Array(count);
  for (let i = 1; i < count; i++) offsets[i] = offsets[i - 1]! + apart[i]!;
  const means = new Float64Array(count);
  const sums = new Float64Array(count);
  const sizes = new Int32Array(count);
  let pools = 0;
  for (let i = 0; i < count; i++) {
    means[pools] = wished[i]! - offsets[i]!;
    sums[pools] = weights[i]!;
    sizes[pools] = 1;
    while (pools > 0 && means[pools - 1]! >= means[pools]!) {
      const below = pools - 1;
      const sum = sums[below]! + sums[pools]!;
      means[below] = (means[below]! * sums[below]! + means[pools]! * sums[pools]!) / sum;
      sums[below] = sum;
      sizes[below]! += sizes[pools]!;
      pools = below;
    }
    pools++;
  }
  const placed = new Float64Array(count);
  for (let pool = 0, i = 0; pool < pools; pool++) {
    for (let n = 0; n < sizes[pool]!; n++, i++) placed[i] = means[pool]! + offsets[i]!;
  }
  return placed;
}
