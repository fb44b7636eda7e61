/** Keeps a child process from outliving its parent: the channel between them closes however the parent ends. */

/** Calls `action` once the parent is gone; does not keep the process alive. Nothing happens without such a channel. */
export function onParentGone(action: () => void): void {
  if (process.channel === undefined || process.channel === null) return;
  process.on('disconnect', action);
  process.channel.unref();
}
