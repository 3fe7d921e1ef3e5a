package main

import (
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// credential is a file that systemd reads as root and hands to the service alone, in a directory of
// its own (LoadCredential= in systemd.exec(5)).
type credential struct{ id, path string }

// credentialsDir is where systemd puts the credentials of a unit, while it runs.
const credentialsDir = "/run/credentials/"

// readCredential reads ID:PATH; false for what systemd takes from elsewhere.
func readCredential(value string) (credential, bool) {
	id, path, _ := strings.Cut(value, ":")
	return credential{id, path}, strings.HasPrefix(path, "/")
}

// missingCredentials says which of them would keep the unit from starting.
func (u *serviceUnit) missingCredentials(unit string) (remarks []string) {
	for _, c := range u.credentials {
		if _, err := os.Stat(c.path); err != nil {
			remarks = append(remarks, unit+" will not start, because of LoadCredential="+c.id+":"+c.path+": "+err.Error())
		}
	}
	return remarks
}

// findCredentials lets root look at the files themselves, for a service that does not run: then
// those that systemd would hand over are not there yet.
func (s *settings) findCredentials() {
	unit, err := readUnit(unitPlaces, s.unit())
	if os.Geteuid() != 0 || err != nil {
		return
	}
	s.handed = s.takeCredentials(unit, credentialsDir+s.unit()+"/")
}

// takeCredentials returns the files that are looked at instead.
func (s *settings) takeCredentials(unit *serviceUnit, dir string) (files []string) {
	var pairs []string
	for _, c := range unit.credentials {
		if _, err := os.Stat(dir + c.id); err != nil {
			pairs, files = append(pairs, dir+c.id, c.path), append(files, c.path)
		}
	}
	found := strings.NewReplacer(pairs...)
	s.flags.VisitAll(func(f *pflag.Flag) {
		list, repeatable := f.Value.(pflag.SliceValue)
		switch {
		case !f.Changed:
		case repeatable:
			values := slices.Clone(list.GetSlice())
			for i := range values {
				values[i] = found.Replace(values[i])
			}
			_ = list.Replace(values) // they are as good as they were
		case strings.Contains(f.Value.String(), dir):
			_ = f.Value.Set(found.Replace(f.Value.String()))
		}
	})
	return files
}
