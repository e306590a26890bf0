// The next question of an experiment, asked of a model server over REST: node 18 or newer, nothing
// installed.
//
//     node propose.mjs http://127.0.0.1:8501 psychometric
//
// The observer saw the stimuli -1 and 2 and answered no and yes. Which of 50 stimuli comes next?

const [server = "http://127.0.0.1:8501", model = "psychometric"] = process.argv.slice(2);

async function asked(path, body) {
  const response = await fetch(`${server}/v1/models/${model}${path}`, {
    ...(body && { method: "POST", body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(10_000),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

const stimuli = Array.from({ length: 50 }, (_, place) => -5 + (10 * place) / 49);
const instance = {
  context_design: [[-1], [2]],
  context_outcome: [[0], [1]],
  context_status: [[1], [1]], // 1: observed, 2: no answer
  context_mask: [true, true],
  known_theta: [0, 0, 0, 0],
  known_mask: [false, false, false, false],
  theta_mask: [true, true, false, false], // threshold and slope are to be learned
  target_design: [[0]], // no prediction is asked for: one place of padding
  target_mask: [false],
  candidate_design: stimuli.map((stimulus) => [stimulus]),
  candidate_mask: stimuli.map(() => true),
  // How many places of each row are its own, for a server that merges requests.
  context_count: 2,
  target_count: 0,
  candidate_count: stimuli.length,
};

// A model that was exported without counts takes none.
const { metadata } = await asked("/metadata");
const { inputs } = metadata.signature_def.signature_def.propose;
const instances = [Object.fromEntries(Object.entries(instance).filter(([name]) => name in inputs))];

const { predictions } = await asked(":predict", { signature_name: "propose", instances });
const { index, scores } = predictions[0];
console.log(JSON.stringify({ index, stimulus: stimuli[index], scores }));
