package attach

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
)

// systemctl asks systemd.
func (h *Host) systemctl(ctx context.Context, argv ...string) (string, error) {
	out, err := h.Run(ctx, "", append([]string{"systemctl"}, argv...)...)
	return out.Stdout, err
}

// HasUnits reports whether mailweir is installed as a socket and a service of systemd.
func (h *Host) hasUnits(ctx context.Context) bool {
	out, err := h.systemctl(ctx, "show", "-p", "LoadState", "--value", socketUnit)
	return err == nil && strings.TrimSpace(out) == "loaded"
}

// unitStates says what both units are.
func (h *Host) unitStates(ctx context.Context) (units []unit, err error) {
	for _, name := range []string{socketUnit, serverUnit} {
		out, err := h.systemctl(ctx, "show", "-p", "UnitFileState,ActiveState", name)
		if err != nil {
			return nil, err
		}
		state := make(map[string]string)
		for line := range strings.Lines(out) {
			key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
			state[key] = value
		}
		units = append(units, unit{
			Name:    name,
			Enabled: strings.HasPrefix(state["UnitFileState"], "enabled"),
			Active:  state["ActiveState"] == "active" || state["ActiveState"] == "activating" || state["ActiveState"] == "reloading",
		})
	}
	return units, nil
}

// startUnits has systemd read its files again where they have changed, and mailweir run with its
// configuration of now.
func (h *Host) startUnits(ctx context.Context, dropIns bool) error {
	before, err := h.unitStates(ctx)
	if err != nil {
		return err
	}
	if dropIns {
		// A socket is where it was until it is stopped.
		if _, err := h.systemctl(ctx, "daemon-reload"); err != nil {
			return err
		}
		if _, err := h.systemctl(ctx, "stop", serverUnit, socketUnit); err != nil {
			return err
		}
	}
	if _, err := h.systemctl(ctx, "enable", "--now", socketUnit, serverUnit); err != nil {
		return errors.Join(err, h.lastWords(ctx))
	}
	if !dropIns && before[1].Active {
		_, err = h.systemctl(ctx, "reload", serverUnit)
	}
	return err
}

// lastWords is what the units have written last: why they do not run.
func (h *Host) lastWords(ctx context.Context) error {
	out, err := h.Run(ctx, "", "journalctl", "-n", "5", "-o", "cat", "--no-pager", "-u", serverUnit, "-u", socketUnit)
	if text := strings.TrimSpace(out.Stdout); err == nil && text != "" {
		return errors.New(text)
	}
	return nil
}

// restoreUnits makes the units what they were. Their files have been put back before; systemd still
// knows those by which the socket was opened, and removes it where it is.
func (h *Host) restoreUnits(ctx context.Context, units []unit) error {
	_, stopped := h.systemctl(ctx, "stop", serverUnit, socketUnit)
	_, reloaded := h.systemctl(ctx, "daemon-reload")
	wrong := errors.Join(stopped, reloaded)
	for _, u := range units {
		if !u.Enabled {
			_, err := h.systemctl(ctx, "disable", u.Name)
			wrong = errors.Join(wrong, err)
		}
		if u.Active {
			_, err := h.systemctl(ctx, "start", u.Name)
			wrong = errors.Join(wrong, err)
		}
	}
	return wrong
}

// dropInFile is where the drop-in of a unit stands.
func (h *Host) dropInFile(unit string) string { return filepath.Join(h.Units, unit+".d", dropIn) }
