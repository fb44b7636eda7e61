/** What is wrong, in words: the form that all findings have. */
export type CauseKind =
  | 'stuck-carrier'
  | 'endless-carrier'
  | 'deaf'
  | 'hidden'
  | 'unreached'
  | 'flood'
  | 'full'
  | 'collisions'
  | 'weak'
  | 'strangers'
  | 'duty'
  | 'line-lost'
  | 'hung'
  | 'leak'
  | 'address-conflict';

export interface Cause {
  readonly kind: CauseKind;
  /** Whom it is about: first where to look. */
  readonly stations: readonly number[];
  /** How bad: 0 to 1, by the share of time or of frames that it cost. */
  readonly weight: number;
  readonly title: string;
  /** What the logs say, with figures. */
  readonly text: string;
  readonly remedy: string;
}
