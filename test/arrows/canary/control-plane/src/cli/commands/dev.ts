export const dev = 1;
