/** Loaded into the server by `--import`: tells its memory after a forced collection. Needs `--expose-gc`. */
process.on('message', async () => {
  // What finalizers and weak references held is gone only at the second.
  for (let i = 0; i < 4; i++) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  process.send?.(process.memoryUsage());
});
// The channel to the test must not keep the server alive.
process.channel?.unref();
