// Draws /openapi.json: every operation with its parameters, body, answers and problems. No framework,
// nothing from elsewhere: it works offline.
const verbs = ['get', 'post', 'put', 'patch', 'delete'];

const make = (name, text, ...children) => {
  const element = document.createElement(name);
  if (text) element.textContent = text;
  element.append(...children);
  return element;
};

const follow = (spec, thing) =>
  thing?.$ref ? thing.$ref.slice(2).split('/').reduce((at, key) => at?.[key], spec) : thing;

// An example of a schema: what it says itself, else one of each part. Depth guards against cycles.
const example = (spec, schema, depth = 0) => {
  const it = follow(spec, schema);
  if (!it || depth > 6) return null;
  if (it.example !== undefined) return it.example;
  if (it.examples?.length) return it.examples[0];
  if (it.enum) return it.enum[0];
  if (it.allOf) return Object.assign({}, ...it.allOf.map((one) => example(spec, one, depth + 1)));
  if (it.type === 'array') return [example(spec, it.items, depth + 1)];
  if (it.properties) {
    return Object.fromEntries(
      Object.entries(it.properties).map(([name, one]) => [name, example(spec, one, depth + 1)]));
  }
  return { string: 'text', integer: 0, number: 0, boolean: false }[it.type] ?? null;
};

const bodyOf = (spec, content) => {
  const json = content?.['application/json'] ?? Object.values(content ?? {})[0];
  if (!json) return null;
  const given = json.example ?? Object.values(json.examples ?? {})[0]?.value;
  return given ?? example(spec, json.schema);
};

const asJson = (value) => make('pre', JSON.stringify(value, null, 2));

const parameters = (spec, list) => {
  const table = make('table');
  for (const given of list) {
    const one = follow(spec, given);
    const kind = one.schema?.type ?? '';
    table.append(make('tr', '', make('td', one.name), make('td', one.in),
      make('td', `${kind}${one.required ? ', required' : ''}`), make('td', one.description ?? '')));
  }
  return table;
};

const answers = (spec, responses) => {
  const table = make('table');
  for (const [code, given] of Object.entries(responses)) {
    const one = follow(spec, given);
    table.append(make('tr', '', make('td', code), make('td', one.description ?? '')));
  }
  return table;
};

const draw = (spec, path, verb, operation, shared) => {
  const details = make('details');
  const summary = make('summary');
  const name = make('span', verb.toUpperCase());
  name.className = 'verb';
  summary.append(name, make('code', path), ' ', operation.summary ?? '');
  details.append(summary);
  details.dataset.words = `${verb} ${path} ${operation.summary ?? ''}`.toLowerCase();
  if (operation.description) details.append(make('p', operation.description));
  const list = [...shared, ...(operation.parameters ?? [])];
  if (list.length) details.append(make('h4', 'Parameters'), parameters(spec, list));
  const body = bodyOf(spec, follow(spec, operation.requestBody)?.content);
  if (body !== null) details.append(make('h4', 'Body'), asJson(body));
  details.append(make('h4', 'Answers'), answers(spec, operation.responses ?? {}));
  const success = Object.entries(operation.responses ?? {}).find(([code]) => code.startsWith('2'));
  const answer = success && bodyOf(spec, follow(spec, success[1])?.content);
  if (answer) details.append(asJson(answer));
  return details;
};

const drawAll = (spec) => {
  const groups = new Map();
  for (const [path, item] of Object.entries(spec.paths)) {
    for (const verb of verbs.filter((one) => item[one])) {
      const tag = item[verb].tags?.[0] ?? 'Other';
      if (!groups.has(tag)) groups.set(tag, []);
      groups.get(tag).push(draw(spec, path, verb, item[verb], item.parameters ?? []));
    }
  }
  document.getElementById('about').textContent = spec.info.description ?? '';
  document.getElementById('operations').replaceChildren(
    ...[...groups].map(([tag, all]) => make('section', '', make('h2', tag), ...all)));
};

const drawProblems = (spec) => {
  const problem = spec.components?.schemas?.Problem;
  const codes = follow(spec, problem?.properties?.code)?.enum ?? [];
  const list = document.getElementById('problems');
  for (const code of codes) {
    const term = make('dt', code);
    term.id = `problem-${code}`;
    list.append(term);
  }
  if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
};

document.getElementById('find').addEventListener('input', (event) => {
  const word = event.target.value.toLowerCase();
  for (const one of document.querySelectorAll('details')) one.hidden = !one.dataset.words.includes(word);
});

const answer = await fetch('/openapi.json');
const spec = await answer.json();
drawAll(spec);
drawProblems(spec);
