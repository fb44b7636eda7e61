import type { Command } from 'commander';
export function addDemo(_root: Command): void {}
