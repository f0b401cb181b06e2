// violates: names-are-kebab-case
// violates: no-dead-modules
export const bad = 1;
