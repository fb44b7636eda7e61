/** Preloaded (`node --import`) into a command that another process runs: the command ends with that process. */
import { onParentGone } from './leash.js';

/** An orderly end takes a frame's airtime; who hangs for longer is of no use to anybody. */
const PATIENCE_MS = 15_000;

onParentGone(() => {
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), PATIENCE_MS).unref();
  process.kill(process.pid, 'SIGTERM');
});
