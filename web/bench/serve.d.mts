export function withFiles<T>(folder: string, use: (address: string) => Promise<T>): Promise<T>;
