package testbed

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
)

// The programs that test/install.sh unpacks aside: their packages would start daemons at the next
// boot of the machine, of which one bans addresses.
const (
	prometheusRoot = "/var/cache/mailweir-test/prometheus"
	fail2banRoot   = "/var/cache/mailweir-test/fail2ban"
)

// Promtool runs promtool and returns what it says.
func Promtool(tb TB, input string, args ...string) (string, error) {
	tb.Helper()
	Require(tb, "prometheus")
	cmd := exec.Command(prometheusRoot+"/usr/bin/promtool", args...)
	cmd.Stdin = strings.NewReader(input)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// Fail2banRegex runs fail2ban-regex, with the configuration that comes with it.
func Fail2banRegex(tb TB, args ...string) (string, error) {
	tb.Helper()
	Require(tb, "fail2ban")
	cmd := exec.Command("python3", append([]string{fail2banRoot + "/usr/bin/fail2ban-regex", "--config=" + fail2banRoot + "/etc/fail2ban"}, args...)...)
	cmd.Env = []string{"PYTHONPATH=" + fail2banRoot + "/usr/lib/python3/dist-packages", "PATH=/usr/bin:/bin", "LANG=C.UTF-8", "PYTHONDONTWRITEBYTECODE=1", "TZ=UTC"}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// Prometheus is a server that scrapes five times a second.
type Prometheus struct {
	*Process
	Address string
}

// prometheusConf has one job for each NAME=ADDRESS.
const prometheusConf = `global: {scrape_interval: 200ms, evaluation_interval: 500ms}
rule_files: [RULES]
scrape_configs:
`

// StartPrometheus starts a Prometheus with the rules of a file, which scrapes each address under
// the name of its job.
func StartPrometheus(tb TB, rules string, jobs map[string]string) *Prometheus {
	tb.Helper()
	Require(tb, "prometheus")
	dir := TempDir(tb)
	conf := strings.ReplaceAll(prometheusConf, "RULES", rules)
	for job, address := range jobs {
		conf += fmt.Sprintf("  - {job_name: %s, static_configs: [{targets: [%q]}]}\n", job, address)
	}
	name := filepath.Join(dir, "prometheus.yml")
	writeFile(tb, name, []byte(conf), 0o644)
	p := &Prometheus{Process: start(tb, exec.Command(prometheusRoot+"/usr/bin/prometheus",
		"--config.file="+name, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address=127.0.0.1:0"))}
	if err := untilOr(p.done, p.ready); err != nil {
		tb.Fatalf("prometheus: %v\n%s", err, p.Log)
	}
	return p
}

// ready finds the port that the kernel chose, and asks there.
func (p *Prometheus) ready() error {
	addresses, err := listening(p.PID())
	if err != nil {
		return err
	}
	for _, address := range addresses {
		if _, err := get("http://" + address + "/-/ready"); err == nil {
			p.Address = address
			return nil
		}
	}
	return fmt.Errorf("none of the ports %q is ready", addresses)
}

// Series is one series of an answer, at one moment.
type Series struct {
	Metric map[string]string `json:"metric"`
	Value  [2]any            `json:"value"` // when, and what, as a text
}

// Query evaluates an expression now.
func (p *Prometheus) Query(expr string) ([]Series, error) {
	var answer struct {
		Data struct {
			Type   string          `json:"resultType"`
			Result json.RawMessage `json:"result"`
		} `json:"data"`
	}
	if err := p.Get("/api/v1/query?query="+url.QueryEscape(expr), &answer); err != nil {
		return nil, fmt.Errorf("%s: %w", expr, err)
	}
	if answer.Data.Type != "vector" {
		return nil, fmt.Errorf("%s is a %s, no vector", expr, answer.Data.Type)
	}
	var found []Series
	return found, json.Unmarshal(answer.Data.Result, &found)
}

// Get reads a path of its API into what JSON can be read into.
func (p *Prometheus) Get(path string, into any) error {
	answer, err := http.Get("http://" + p.Address + path)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		var why struct{ Error string }
		_ = json.NewDecoder(answer.Body).Decode(&why) // the status says enough
		return fmt.Errorf("%s: %s", answer.Status, why.Error)
	}
	return json.NewDecoder(answer.Body).Decode(into)
}
