/** Chance as an argument: a seeded generator, so that every run can be repeated. */

export interface Random {
  /** Uniform over the integers 0 .. 2^32 - 1. */
  uint32(): number;
  /** Uniform over [0, 1). */
  unit(): number;
  /** Uniform over the integers 0 .. bound - 1; `bound` must be at least 1. */
  below(bound: number): number;
}

/** The sfc32 generator (Chris Doty-Humphrey, PractRand), seeded through splitmix32. Not for cryptography. */
export function seededRandom(seed: number): Random {
  let mixState = seed >>> 0;
  const splitmix = (): number => {
    mixState = (mixState + 0x9e3779b9) | 0;
    let z = mixState;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return (z ^ (z >>> 16)) | 0;
  };
  let a = splitmix();
  let b = splitmix();
  let c = splitmix();
  let counter = 1;
  const uint32 = (): number => {
    const t = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + t;
    c |= 0;
    return t >>> 0;
  };
  for (let i = 0; i < 12; i++) uint32();
  const unit = (): number => uint32() / 0x1_0000_0000;
  return { uint32, unit, below: (bound) => Math.floor(unit() * bound) };
}
