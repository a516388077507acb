// Checks CloudFormation templates by AWS's own specification of its resources: types, names, required properties, words of lists.
// Call: node check.mjs TEMPLATE…  It prints one line for each fault and the number of values that it has checked.
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { loadAwsServiceSpecSync } from '@aws-cdk/aws-service-spec';

const spec = loadAwsServiceSpecSync();
let checked = 0;

// An intrinsic function has a value that only a deploy knows.
function isIntrinsic(value) {
  const keys = value && typeof value === 'object' && !Array.isArray(value) ? Object.keys(value) : [];
  return keys.length === 1 && (keys[0] === 'Ref' || keys[0].startsWith('Fn::'));
}

// faultsOf lists what is wrong with the properties of a resource or of a part of one.
function faultsOf(path, properties, values) {
  const missing = Object.entries(properties).filter(([name, p]) => p.required && values[name] === undefined);
  return [
    ...missing.map(([name]) => `${path}: ${name} is required`),
    ...Object.entries(values).flatMap(([name, value]) => {
      const property = properties[name];
      if (!property) return [`${path}: ${name} is no property`];
      return faultsOfAny(`${path}.${name}`, [property.type, ...(property.previousTypes ?? [])], value);
    }),
  ];
}

// faultsOfAny is empty if the value has one of several types. Else it has the faults by the first type.
function faultsOfAny(path, types, value) {
  const faults = types.map((type) => faultsOfValue(path, type, value));
  return faults.find((f) => f.length === 0) ?? faults[0];
}

function faultsOfValue(path, type, value) {
  checked++;
  if (isIntrinsic(value)) return [];
  const isObject = value && typeof value === 'object' && !Array.isArray(value);
  const fault = (wrong, text) => (wrong ? [`${path}: ${text}`] : []);
  switch (type.type) {
    case 'string': // CloudFormation takes numbers and truth values for texts
      if (typeof value === 'object') return fault(true, 'it is no text');
      return fault(type.allowedValues && !type.allowedValues.includes(String(value)), `${value} is none of ${type.allowedValues?.join(', ')}`);
    case 'number':
      return fault(typeof value === 'object' || Number.isNaN(Number(value)), `${JSON.stringify(value)} is no number`);
    case 'integer':
      return fault(typeof value === 'object' || !Number.isInteger(Number(value)), `${JSON.stringify(value)} is no whole number`);
    case 'boolean':
      return fault(!['true', 'false'].includes(String(value)), `${JSON.stringify(value)} is neither true nor false`);
    case 'array':
      return Array.isArray(value) ? value.flatMap((e, i) => faultsOfValue(`${path}[${i}]`, type.element, e)) : fault(true, 'it is no list');
    case 'map':
      return isObject ? Object.entries(value).flatMap(([k, e]) => faultsOfValue(`${path}.${k}`, type.element, e)) : fault(true, 'it is no map');
    case 'tag':
      return fault(typeof value?.Key !== 'string' || value.Value === undefined, 'a tag has a Key and a Value');
    case 'ref':
      return isObject ? faultsOf(path, spec.get('typeDefinition', type.reference).properties, value) : fault(true, 'it is no object');
    case 'union':
      return faultsOfAny(path, type.types, value);
  }
  return []; // JSON may be anything
}

const faults = process.argv.slice(2).flatMap((file) => {
  const { Resources: resources } = JSON.parse(readFileSync(file, 'utf8'));
  return Object.entries(resources).flatMap(([id, { Type: type, Properties: properties = {} }]) => {
    const path = `${basename(file, '.template.json')}/${id} (${type})`;
    if (type.startsWith('Custom::')) return [];
    const found = spec.lookup('resource', 'cloudFormationType', 'equals', type);
    return found.length === 0 ? [`${path}: AWS has no such type`] : faultsOf(path, found.only().properties, properties);
  });
});
faults.forEach((f) => console.log(f));
console.log(`${checked} values checked, ${faults.length} faults`);
process.exitCode = faults.length ? 1 : 0;
