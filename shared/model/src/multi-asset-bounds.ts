/** The most assets that one multi-asset computes: all of its steps are leased at once. */
export const outputsMax = 100;
