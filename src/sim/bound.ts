/** Closed forms that simulations are held against. */

/**
 * Utilisation of slotted p-persistent CSMA, n saturated stations that all hear each other, frames of length 1, slots of
 * length a, an exchange followed by one slot (Kleinrock and Tobagi 1975, with a fixed number of stations).
 */
export function persistentUtilisation(n: number, p: number, a: number): number {
  const idle = (1 - p) ** n;
  const success = n * p * (1 - p) ** (n - 1);
  return success / (idle * a + (1 - idle) * (1 + a));
}

/** The same where nothing follows an exchange: nobody waits for an answer, and the next slot begins with its end. */
export function persistentWithoutPause(n: number, p: number, a: number): number {
  const idle = (1 - p) ** n;
  const success = n * p * (1 - p) ** (n - 1);
  return success / (idle * a + 1 - idle);
}

/** The best that any memoryless p-persistent CSMA can do: the maximum over p, to six digits. */
export function memorylessBound(n: number, a: number): number {
  // For one station p = 1 is best; the maximum is the only one, so narrowing down by golden sections finds it.
  const section = (Math.sqrt(5) - 1) / 2;
  let from = 0;
  let to = 1;
  for (let i = 0; i < 60; i++) {
    const left = to - section * (to - from);
    const right = from + section * (to - from);
    if (persistentUtilisation(n, left, a) < persistentUtilisation(n, right, a)) from = left;
    else to = right;
  }
  return persistentUtilisation(n, (from + to) / 2, a);
}

/** Non-persistent CSMA, unslotted, endless population offering G frames a frame time (Kleinrock and Tobagi 1975). */
export function nonPersistentThroughput(offered: number, a: number): number {
  const clear = Math.exp(-a * offered);
  return (offered * clear) / (offered * (1 + 2 * a) + clear);
}

/** The same, slotted (Kleinrock and Tobagi 1975). */
export function slottedNonPersistentThroughput(offered: number, a: number): number {
  const clear = Math.exp(-a * offered);
  return (a * offered * clear) / (1 - clear + a);
}
