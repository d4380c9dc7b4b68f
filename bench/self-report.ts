/**
 * Loaded into a node before the server: tells what the process used when the bench asks, to the microsecond, where
 * /proc counts in hundredths of a second.
 */
process.on('message', async (question) => {
  if (question === 'collect') {
    globalThis.gc?.();
    // What weak references and finalizers let go is gone only after the next one.
    await new Promise((resolve) => setTimeout(resolve, 100));
    globalThis.gc?.();
  }
  const { user, system } = process.cpuUsage();
  const { heapUsed, external, rss } = process.memoryUsage();
  const cpuMicroseconds = user + system;
  process.send?.({ cpuMicroseconds, heapBytes: heapUsed, externalBytes: external, rssBytes: rss });
});
// The bench's end of it must not keep a node that was told to end.
process.channel?.unref();
