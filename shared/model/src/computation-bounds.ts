/** The most assets that one multi-asset computes: all of its steps are leased at once. */
export const outputsMax = 100;

/** The most partitions of one asset that one call computes: all of their steps are leased at once. */
export const batchPartitionsMax = 400;
