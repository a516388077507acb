// setting is an environment variable that the test sets.
export function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}

// print tells the test what the program got.
export function print(result: { number: string; status: string; listed: boolean; code: string }) {
  console.log(JSON.stringify(result));
}

export const unknown = "00000000-0000-4000-8000-000000000000";
