package testbed

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Redis is one redis-server that can be killed and started again on the same port with the same
// directory.
type Redis struct {
	Address string
	*Process
	tb  TB
	cmd func() *exec.Cmd
}

// StartRedis starts a redis-server that keeps nothing on disk unless the arguments say so
// ("--appendonly", "yes").
func StartRedis(tb TB, args ...string) *Redis {
	tb.Helper()
	requireRedis(tb)
	address := FreeAddress(tb)
	dir := memoryDir(tb)
	words := append([]string{"--port", Port(address), "--bind", "127.0.0.1", "--save", "", "--dir", dir}, args...)
	return startRedis(tb, address, func() *exec.Cmd { return exec.Command("redis-server", words...) })
}

func requireRedis(tb TB) {
	tb.Helper()
	Require(tb, "redis")
}

func startRedis(tb TB, address string, cmd func() *exec.Cmd) *Redis {
	tb.Helper()
	r := &Redis{Address: address, tb: tb, cmd: cmd}
	r.Start()
	return r
}

// Start starts the server after Kill.
func (r *Redis) Start() {
	r.tb.Helper()
	r.Process = start(r.tb, r.cmd())
	err := untilOr(r.done, func() error {
		answer, err := r.Ask("PING")
		if err == nil && answer != "PONG" && !strings.HasPrefix(answer, "NOAUTH") {
			err = errors.New(answer)
		}
		return err
	})
	if err != nil {
		r.tb.Fatalf("redis %s: %v\n%s", r.Address, err, r.Log)
	}
}

// Ask sends one command and returns the answer with its lines joined by blanks.
func (r *Redis) Ask(words ...string) (string, error) { return askRedis(r.Address, words...) }

// Wait asks until the answer contains the word (an error answer counts as one).
func (r *Redis) Wait(want string, words ...string) {
	r.tb.Helper()
	err := untilOr(r.done, func() error {
		answer, err := r.Ask(words...)
		if err == nil && !strings.Contains(answer, want) {
			err = fmt.Errorf("%s answers %q, not %q", strings.Join(words, " "), answer, want)
		}
		return err
	})
	if err != nil {
		r.tb.Fatalf("redis %s: %v\n%s", r.Address, err, r.Log)
	}
}

// Sentinel is a primary with a replica, and three sentinels that watch them under the name "mw".
type Sentinel struct {
	Primary, Replica *Redis
	Sentinels        []*Redis
}

// StartSentinel starts a Sentinel set that takes a primary for lost after 300 ms.
func StartSentinel(tb TB) *Sentinel {
	tb.Helper()
	s := &Sentinel{Primary: StartRedis(tb)}
	s.Replica = StartRedis(tb, "--replicaof", "127.0.0.1", Port(s.Primary.Address), "--repl-diskless-sync-delay", "0")
	s.Replica.Wait("master_link_status:up", "INFO", "replication")
	for range 3 {
		address, dir := FreeAddress(tb), TempDir(tb)
		conf := filepath.Join(dir, "sentinel.conf")
		writeFile(tb, conf, []byte(sentinelConf(address, dir, s.Primary.Address)), 0o600)
		s.Sentinels = append(s.Sentinels, startRedis(tb, address, func() *exec.Cmd {
			return exec.Command("redis-server", conf, "--sentinel")
		}))
	}
	for _, x := range s.Sentinels {
		x.Wait("OK 3 usable", "SENTINEL", "CKQUORUM", "mw")
		x.Wait(Port(s.Replica.Address), "SENTINEL", "REPLICAS", "mw")
	}
	return s
}

func sentinelConf(address, dir, primary string) string {
	return fmt.Sprintf(`port %s
bind 127.0.0.1
dir %s
sentinel monitor mw 127.0.0.1 %s 2
sentinel down-after-milliseconds mw 300
sentinel failover-timeout mw 3000
`, Port(address), dir, Port(primary))
}

// RedisCluster is three primaries with a replica each.
type RedisCluster struct {
	Nodes []*Redis
}

// StartRedisCluster starts a cluster that takes a node for lost after 500 ms.
func StartRedisCluster(tb TB) *RedisCluster {
	tb.Helper()
	requireRedis(tb)
	c := new(RedisCluster)
	create := []string{"--cluster", "create"}
	for range 6 {
		bus := FreeAddress(tb)
		node := StartRedis(tb, "--cluster-enabled", "yes", "--cluster-port", Port(bus), "--cluster-node-timeout", "500",
			"--repl-diskless-sync-delay", "0")
		c.Nodes = append(c.Nodes, node)
		create = append(create, node.Address)
	}
	create = append(create, "--cluster-replicas", "1", "--cluster-yes")
	if out, err := exec.Command("redis-cli", create...).CombinedOutput(); err != nil {
		tb.Fatalf("redis-cli --cluster create: %v\n%s", err, out)
	}
	for _, node := range c.Nodes {
		node.Wait("cluster_state:ok", "CLUSTER", "INFO")
		node.Wait("cluster_known_nodes:6", "CLUSTER", "INFO")
	}
	for _, node := range c.Nodes {
		if role, _ := node.Ask("ROLE"); strings.HasPrefix(role, "slave") {
			node.Wait("master_link_status:up", "INFO", "replication")
		}
	}
	return c
}

// Primaries returns the nodes that are primaries now.
func (c *RedisCluster) Primaries() []*Redis {
	var primaries []*Redis
	for _, node := range c.Nodes {
		if role, err := node.Ask("ROLE"); err == nil && strings.HasPrefix(role, "master") {
			primaries = append(primaries, node)
		}
	}
	return primaries
}

// ReplicasOf returns the nodes that follow a primary now.
func (c *RedisCluster) ReplicasOf(primary *Redis) []*Redis {
	var replicas []*Redis
	for _, node := range c.Nodes {
		role, err := node.Ask("ROLE")
		if err == nil && strings.HasPrefix(role, "slave") && strings.Contains(role, " "+Port(primary.Address)+" ") {
			replicas = append(replicas, node)
		}
	}
	return replicas
}

// askRedis sends one command in RESP and reads one answer.
func askRedis(address string, words ...string) (string, error) {
	conn, err := net.DialTimeout("tcp4", address, time.Second)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return "", err
	}
	var ask strings.Builder
	fmt.Fprintf(&ask, "*%d\r\n", len(words))
	for _, w := range words {
		fmt.Fprintf(&ask, "$%d\r\n%s\r\n", len(w), w)
	}
	if _, err := io.WriteString(conn, ask.String()); err != nil {
		return "", err
	}
	return readRedis(bufio.NewReader(conn))
}

func readRedis(from *bufio.Reader) (string, error) {
	line, err := from.ReadString('\n')
	if err != nil {
		return "", err
	}
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return "", errors.New("an empty answer")
	}
	kind, rest := line[0], line[1:]
	switch kind {
	case '$':
		n, err := strconv.Atoi(rest)
		if err != nil || n < 0 {
			return "", err
		}
		text := make([]byte, n+2)
		_, err = io.ReadFull(from, text)
		return string(text[:n]), err
	case '*':
		n, err := strconv.Atoi(rest)
		if err != nil {
			return "", err
		}
		var words []string
		for range n {
			word, err := readRedis(from)
			if err != nil {
				return "", err
			}
			words = append(words, word)
		}
		return strings.Join(words, " "), nil
	default:
		return rest, nil
	}
}
