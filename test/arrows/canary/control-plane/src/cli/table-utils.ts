// violates: names-say-what-is-inside
// violates: no-dead-modules
export const table = 1;
