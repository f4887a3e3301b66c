//! One field after the other set to something that the others contradict. The error names step, layer, field and numbers.

use serde_json::{Value, json};

use super::small::{in_step, ours, read, text, theirs};

/// Sets what `pointer` points at in a line, and reads the file. An absent key is added.
fn check(lines: Vec<Value>, line: usize, pointer: &str, value: Value, message: &str) {
    let mut lines = lines;
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
    let place = lines[line].pointer_mut(parent).unwrap_or_else(|| panic!("nothing is at {parent}"));
    match place {
        Value::Object(fields) => drop(fields.insert(key.to_owned(), value)),
        list => list[key.parse::<usize>().expect("an index")] = value,
    }
    let error = read(&text(&lines)).expect_err(message).to_string();
    assert_eq!(error, format!("line {} is not part of a trace: {message}", line + 1));
}

#[test]
fn all_files_are_right() {
    for (lines, num_steps) in [(ours(), 3), (in_step(), 3), (theirs(), 2)] {
        assert_eq!(read(&text(&lines)).map(|file| file.steps.len()).map_err(|error| error.to_string()), Ok(num_steps));
    }
}

#[test]
fn the_header_agrees_with_itself() {
    let ours = |pointer, value, message| check(ours(), 0, pointer, value, message);
    let most = json!(u32::MAX);
    ours("/model/num_layers", json!(3), "routes.num_layers is 2, and model.num_layers is 3");
    ours("/model/num_layers", most.clone(), "model.num_layers is 4294967295; the format allows at most 1024");
    ours("/model/num_experts", json!(4), "routes.num_experts is 3, and model.num_experts is 4");
    ours("/model/name", json!("a\u{202e}b"), "a character of model.name is U+202E, which cannot be seen");
    ours("/origin/producer", json!("x\n"), "a character of origin.producer is U+000A, which cannot be seen");
    for hidden in ["\u{ad}", "\u{2060}", "\u{3164}", "\u{e0041}", "\u{fffb}"] {
        let code = u32::from(hidden.chars().next().expect("one"));
        let message = format!("a character of model.name is U+{code:04X}, which cannot be seen");
        check(self::ours(), 0, "/model/name", json!(format!("a{hidden}b")), &message);
    }
    ours("/model/num_shared_experts", json!(4097), "model.num_shared_experts is 4097; the format allows at most 4096");
    ours("/model/num_experts", json!(0), "model.num_experts is 0; it must be at least 1");
    ours(
        "/model/num_active_parameters",
        json!(101),
        "model.num_active_parameters is 101; model.num_parameters allows at most 100",
    );
    ours("/model/max_tokens", most.clone(), "model.max_tokens is 4294967295; the format allows at most 65536");
    ours("/model/weights_sha256", json!("5e"), "the length of model.weights_sha256 is 2, and that of a SHA-256 is 64");
    ours(
        "/routes/moe_layer_ids",
        json!([0, 2]),
        "routes.moe_layer_ids[1] is 2, and routes.num_layers is 2; they count from 0",
    );
    ours("/routes/moe_layer_ids", json!([1]), "the length of routes.moe_layer_ids is 1, and model.num_layers is 2");
    ours("/routes/top_k", json!(4), "routes.top_k is 4; routes.num_experts allows at most 3");
    ours(
        "/routes/num_experts",
        json!({"at_least": most}),
        "routes.num_experts is 4294967295; the format allows at most 4096",
    );
    ours("/request/sampling/temperature", json!(1e300), "request.sampling.temperature is inf, not a finite number");
    ours("/request/sampling/top_p", json!(1.5), "request.sampling.top_p is 1.5; it must be from 0 to 1");
    ours(
        "/request/routing/overflow/minimum",
        most.clone(),
        "request.routing.overflow.minimum is 4294967295; max_tokens allows at most 8",
    );
    ours(
        "/model/trained_routing/overflow/factor",
        json!(-1e300),
        "model.trained_routing.overflow.factor is -inf, not a finite number",
    );
    ours("/request/companions", json!(["a"]), "the number of request.companions is 1; request.group allows at most 0");
    ours("/request/max_new_tokens", most, "request.max_new_tokens is 4294967295; the format allows at most 65536");
    let mute = json!([{"kind": "mute", "layer": 0, "expert": 3}]);
    let why = "request.interventions[0] is expert 3 of layer 0 is muted, but there is no expert 3; a layer has 3, counted from 0";
    ours("/request/interventions", mute, why);
}

#[test]
fn a_step_agrees_with_the_header_and_the_step_before() {
    let ours = |line, pointer, value, message| check(ours(), line, pointer, value, message);
    ours(1, "/step", json!(2), "step 2: the number of the first step is 2; the format allows at most 1");
    ours(2, "/step", json!(3), "step 3: its number is 3, and the next one is 1");
    ours(2, "/run", json!(5), "step 1: run is 5, and that of the step before is 0");
    ours(1, "/tokens/1/id", json!(50), "step 0: tokens[1].id is 50, and model.vocab_size is 50; they count from 0");
    ours(1, "/tokens/1/loss", json!(1e300), "step 0: tokens[1].loss is inf, not a finite number");
    let negative = format!("step 0: tokens[1].loss is -1; it must be from -0.001 to {}", f32::MAX);
    ours(1, "/tokens/1/loss", json!(-1), &negative);
    ours(2, "/tokens/1/id", json!(9), "step 1: tokens[1].id is 9, and in the step before it is 1");
    ours(
        2,
        "/tokens/2/id",
        json!(9),
        "step 1: the id of its first new token is 9, and next.chosen of the step before is 2",
    );
    ours(1, "/first_position", json!(1), "step 0: first_position is 1, and the end of the text before is 0");
    ours(
        1,
        "/first_position",
        json!(u32::MAX),
        "step 0: the end of its text is 4294967297; model.max_tokens allows at most 8",
    );
    ours(
        1,
        "/next/candidates/1/probability",
        json!(0.75),
        "step 0: next.candidates[1].probability is 0.75, and that of the one before is 0.5",
    );
    ours(
        1,
        "/next/candidates/0/probability",
        json!(1),
        "step 0: the sum of the candidates' probabilities is 1.5; it must be from 0 to 1.001",
    );
    ours(
        1,
        "/next/chosen/id",
        json!(51),
        "step 0: next.chosen.id is 51, and model.vocab_size is 50; they count from 0",
    );
    ours(1, "/num_prompt_tokens", json!(3), "step 0: num_prompt_tokens is 3; the number of tokens allows at most 2");
    ours(1, "/layers/1/layer", json!(0), "step 0: layers[1].layer is 0, and that of the one before is 0");
    ours(1, "/layers/1/layer", json!(7), "step 0: layers[1].layer is 7, which routes.moe_layer_ids does not list");
    let batch = json!([{"sequence": 0, "num_tokens": 2, "first_position": 0}]);
    ours(1, "/sequences", batch, "step 0: the number of texts is several, and request.group is of one");
    let many = json!([{"sequence": 0, "num_tokens": u32::MAX, "first_position": 0}, {"sequence": 1, "num_tokens": 3, "first_position": 0}]);
    ours(1, "/sequences", many, "step 0 has 2 tokens; its sequences have 4294967298");
    let beyond = "step 2, layer 0 has 4 tokens in its routing; 5 belong there";
    ours(3, "/input_start_position", json!(4), beyond);
}

#[test]
fn each_text_of_a_batch_goes_on_where_it_was() {
    let in_step = |line, pointer, value, message| check(in_step(), line, pointer, value, message);
    in_step(
        2,
        "/sequences/1/sequence",
        json!(0),
        "step 1: sequences[1].sequence is 0, and that of the one before is 0",
    );
    in_step(
        2,
        "/sequences/1/sequence",
        json!(2),
        "step 1: the number of a sequence is 2, and that of prompts is 2; they count from 0",
    );
    in_step(
        3,
        "/sequences/0/first_position",
        json!(3),
        "step 2: sequences[0].first_position is 3, and the end of its text before is 2",
    );
    in_step(
        2,
        "/tokens/1/id",
        json!(1),
        "step 1: the id of the first token of text 1 is 1, and next.chosen of the step before is 11",
    );
    in_step(1, "/sequences/0/num_tokens", json!(2), "step 0 has 2 tokens; its sequences have 3");
    in_step(
        0,
        "/request/group",
        json!("decode_step"),
        "the number of request.companions is 1; request.group allows at most 0",
    );
    in_step(
        0,
        "/request/companions",
        json!(vec!["c"; 8]),
        "the number of request.companions is 8; request.group allows at most 7",
    );
}

#[test]
fn a_layer_agrees_with_the_header_and_its_own_columns() {
    let ours = |pointer: &str, value, message: &str| {
        check(ours(), 2, &format!("/layers/1{pointer}"), value, &format!("step 1, layer 1{message}"));
    };
    let logits = json!({"num_experts": 1, "values": [0, 0, 0]});
    ours("/gate_logits", logits, ": gate_logits.num_experts is 1, and routes.num_experts is 3");
    ours(
        "/routing/num_experts",
        json!(16),
        ": the number of experts of its decision is 16, and routes.num_experts is 3",
    );
    ours("/routing/assignments/1/expert", json!(3), ", routing: record 1 is of expert 3; there are 3");
    ours(
        "/routing/num_experts",
        json!(u32::MAX),
        ", routing: it has 3 tokens and 4294967295 experts; the format allows at most 65536 and 4096",
    );
    ours("/routing/num_tokens", json!(4), " has 4 tokens in its routing; 3 belong there");
    ours("/routing/capacity", json!(u32::MAX), ": routing.capacity is 4294967295; the format allows at most 65536");
    ours(
        "/routing/assignments/1/slot",
        json!(2),
        ": routing.assignments[1].slot is 2, and routing.capacity is 2; they count from 0",
    );
    ours(
        "/routing/assignments/1/rank",
        json!(3),
        ": routing.assignments[1].rank is 3, and routing.num_experts is 3; they count from 0",
    );
    ours(
        "/gate_logits/values/4",
        json!(1e300),
        ", gate_logits: the gate logit of token 1 for expert 1 is inf, not a finite number",
    );
    ours("/gate_logits/values", json!([0, 0]), ", gate_logits: 2 gate logits do not divide into rows of 3 experts");
}

#[test]
fn nobody_gets_a_slot_twice_and_nobody_is_lost_without_a_limit() {
    let assignments = |first: Value, second: Value| {
        let mut lines = ours();
        lines[1]["layers"][0]["routing"]["assignments"] = json!([first, second]);
        lines
    };
    let request = |token: u32, rank: u32, expert: u32, slot: u32| json!({"token": token, "rank": rank, "expert": expert, "weight": 1, "weight_raw": 1, "fate": "kept", "slot": slot});
    let refused = |lines: Vec<Value>| read(&text(&lines)).expect_err("a contradiction").to_string();
    let error = refused(assignments(request(0, 0, 1, 0), request(1, 0, 1, 0)));
    assert!(error.ends_with("step 0, layer 0: a slot of expert 1 is 0, which is taken already"), "{error}");
    let error = refused(assignments(request(0, 0, 1, 0), request(0, 1, 1, 1)));
    assert!(error.ends_with("step 0, layer 0: an expert of token 0 is 1, which it asks already"), "{error}");
    let mut lost = request(1, 0, 1, 0);
    lost["fate"] = json!("lost");
    let mut lines = assignments(request(0, 0, 1, 0), lost);
    lines[1]["layers"][0]["routing"]["capacity"] = Value::Null;
    let error = refused(lines);
    assert!(
        error.ends_with("routing.assignments[1].fate is lost, and routing.capacity is null: nobody is turned away"),
        "{error}"
    );
}

#[test]
fn columns_of_others_agree_too() {
    let theirs = |pointer, value, message| check(theirs(), 1, pointer, value, message);
    theirs("/layers/0/choices/top_k", json!(4), "step 1, layer 1 has 1 rows of choices; 2 belong there");
    let wide = json!({"num_experts": 3, "top_k": 3, "expert_ids": [0, 1, 2, 0, 1, -1]});
    theirs("/layers/0/choices", wide, "step 1, layer 1 has 4 output_norms; 6 belong there");
    theirs(
        "/layers/0/choices/expert_ids/1",
        json!(3),
        "step 1, layer 1, choices: row 0 names expert 3; there are 3, and -1 stands for none",
    );
    theirs(
        "/layers/0/gate_probs/values/1",
        json!(2),
        "step 1, layer 1: gate_probs.values[1] is 2; it must be from 0 to 1.001",
    );
    theirs(
        "/layers/0/selection_bias",
        json!([0, 1]),
        "step 1, layer 1: the length of selection_bias is 2, and routes.num_experts is 3",
    );
    theirs("/layers/0/rows", json!([0, 3]), "step 1, layer 1 has a row of token 3, and the step has 3 tokens");
    theirs(
        "/layers/1/load/requests",
        json!([1, 2]),
        "step 1, layer 3: the number of experts of its decision is 2, and routes.num_experts is 3",
    );
    theirs(
        "/layers/1/load/requests/0",
        json!(-1),
        "step 1, layer 3, load: expert 0 was asked -1 times; a count is finite and at least 0",
    );
    theirs(
        "/sequences/1/first_position",
        json!(u32::MAX),
        "step 1: the end of its text is 4294967296; the format allows at most 2147483647",
    );
}

#[test]
fn steps_may_count_from_one_but_there_must_be_some() {
    let mut lines = ours();
    for (step, line) in lines.iter_mut().skip(1).enumerate() {
        line["step"] = json!(step + 1);
    }
    let file = read(&text(&lines)).expect("counted from 1");
    assert_eq!(file.steps.iter().map(|step| step.step).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(file, read(&text(&ours())).expect("counted from 0"));
    let error = read(&text(&ours()[..1])).expect_err("only a header").to_string();
    assert_eq!(error, "the file has a header and no steps");
}
