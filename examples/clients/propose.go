// The next question of an experiment, asked of a model server over REST: Go 1.19 or newer, nothing
// but the standard library.
//
//	go run propose.go http://127.0.0.1:8501 psychometric
//
// The observer saw the stimuli -1 and 2 and answered no and yes. Which of 50 stimuli comes next?
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"time"
)

var client = http.Client{Timeout: 10 * time.Second}

func read(response *http.Response, err error, answer any) {
	if err != nil {
		fail(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		var refusal struct{ Error string }
		_ = json.NewDecoder(response.Body).Decode(&refusal)
		fail(fmt.Errorf("%s: %s", response.Status, refusal.Error))
	}
	if err := json.NewDecoder(response.Body).Decode(answer); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func main() {
	server, model := "http://127.0.0.1:8501", "psychometric"
	if len(os.Args) == 3 {
		server, model = os.Args[1], os.Args[2]
	}
	address := server + "/v1/models/" + model

	stimuli, pool, all := make([]float64, 50), make([][]float64, 50), make([]bool, 50)
	for place := range stimuli {
		stimuli[place] = -5 + 10*float64(place)/49
		pool[place], all[place] = []float64{stimuli[place]}, true
	}
	instance := map[string]any{
		"context_design":   [][]float64{{-1}, {2}},
		"context_outcome":  [][]float64{{0}, {1}},
		"context_status":   [][]int{{1}, {1}}, // 1: observed, 2: no answer
		"context_mask":     []bool{true, true},
		"known_theta":      []float64{0, 0, 0, 0},
		"known_mask":       []bool{false, false, false, false},
		"theta_mask":       []bool{true, true, false, false}, // threshold and slope are to be learned
		"target_design":    [][]float64{{0}},                 // no prediction is asked for: padding
		"target_mask":      []bool{false},
		"candidate_design": pool,
		"candidate_mask":   all,
		// How many places of each row are its own, for a server that merges requests.
		"context_count":   2,
		"target_count":    0,
		"candidate_count": len(pool),
	}

	// A model that was exported without counts takes none.
	var described struct {
		Metadata struct {
			SignatureDef struct {
				SignatureDef map[string]struct {
					Inputs map[string]any `json:"inputs"`
				} `json:"signature_def"`
			} `json:"signature_def"`
		} `json:"metadata"`
	}
	response, err := client.Get(address + "/metadata")
	read(response, err, &described)
	taken := described.Metadata.SignatureDef.SignatureDef["propose"].Inputs
	for name := range instance {
		if _, ok := taken[name]; !ok {
			delete(instance, name)
		}
	}

	body, err := json.Marshal(map[string]any{
		"signature_name": "propose",
		"instances":      []any{instance},
	})
	if err != nil {
		fail(err)
	}
	var answer struct {
		Predictions []struct {
			Index  int       `json:"index"`
			Scores []float64 `json:"scores"`
		} `json:"predictions"`
	}
	response, err = client.Post(address+":predict", "application/json", bytes.NewReader(body))
	read(response, err, &answer)
	chosen := answer.Predictions[0]
	_ = json.NewEncoder(os.Stdout).Encode(map[string]any{
		"index": chosen.Index, "stimulus": stimuli[chosen.Index], "scores": chosen.Scores,
	})
}
