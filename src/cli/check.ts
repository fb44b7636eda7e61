import type { Command } from 'commander';
export function addCheck(_root: Command): void {}
