// How much of the processor's time the pages of a browser have had.

/** A function that tells the seconds that all renderers of this browser have computed, on all threads. */
export async function processorTime(browser) {
  const session = await browser.newBrowserCDPSession();
  return async () => {
    const { processInfo } = await session.send("SystemInfo.getProcessInfo");
    const times = processInfo.filter(({ type }) => type === "renderer").map(({ cpuTime }) => cpuTime);
    return times.reduce((sum, time) => sum + time, 0);
  };
}
