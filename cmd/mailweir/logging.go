package main

import (
	"bytes"
	"fmt"
	"io"
	stdlog "log"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/sirupsen/logrus"

	"mailweir/internal/logline"
	"mailweir/internal/terminal"
)

// newLogger returns the log on standard error, which may be a terminal. Under systemd's journal the
// time is left out and each line carries its priority (sd-daemon(3)), because the journal keeps
// both itself.
func newLogger(d *daemonFlags, out io.Writer) (*logrus.Logger, error) {
	log := logrus.New()
	log.SetOutput(terminal.NewWriter(out))
	level, err := d.level()
	if err != nil {
		return nil, err
	}
	log.SetLevel(level)
	journal := isJournal(out, os.Getenv("JOURNAL_STREAM"))
	switch *d.logFormat {
	case "text":
		log.SetFormatter(logline.Text{Timeless: journal})
	case "json":
		log.SetFormatter(logline.JSON{})
	default:
		return nil, fmt.Errorf("--log-format: %q is neither text nor json", *d.logFormat)
	}
	if journal {
		log.SetFormatter(priority{log.Formatter})
	}
	return log, nil
}

// level is what --log-level names.
func (d *daemonFlags) level() (logrus.Level, error) {
	level, err := logrus.ParseLevel(*d.logLevel)
	if err != nil || level > logrus.DebugLevel || level < logrus.ErrorLevel {
		return 0, fmt.Errorf("--log-level: %q is none of error, warning, info, debug", *d.logLevel)
	}
	return level, nil
}

// logAs has the log show what these flags want: the part of them that a reload changes.
func (d *daemon) logAs(f *daemonFlags) {
	if level, err := f.level(); err == nil { // they have been validated
		d.log.SetLevel(level)
	}
	d.recorder.LogAccepted(*f.logAccepted)
}

// takeStandardLog takes what libraries write to the standard logger, which is the process's.
func takeStandardLog(log *logrus.Logger) {
	stdlog.SetFlags(0)
	stdlog.SetOutput(libraryLog{log})
}

// isJournal reports whether out is the stream that JOURNAL_STREAM names as DEVICE:INODE
// (systemd.exec(5)).
func isJournal(out io.Writer, stream string) bool {
	file, ok := out.(*os.File)
	if !ok || stream == "" {
		return false
	}
	info, err := file.Stat()
	if err != nil {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && stream == strconv.FormatUint(stat.Dev, 10)+":"+strconv.FormatUint(stat.Ino, 10)
}

// priority puts syslog's priority in front of each line.
type priority struct{ logrus.Formatter }

func (p priority) Format(e *logrus.Entry) ([]byte, error) {
	line, err := p.Formatter.Format(e)
	level := map[logrus.Level]string{logrus.ErrorLevel: "<3>", logrus.WarnLevel: "<4>", logrus.InfoLevel: "<6>", logrus.DebugLevel: "<7>"}
	return append([]byte(level[e.Level]), line...), err
}

// libraryLog takes the lines of libraries that know only the standard logger.
type libraryLog struct{ log *logrus.Logger }

func (l libraryLog) Write(line []byte) (int, error) {
	l.log.WithField("library", strings.TrimSpace(string(bytes.ToValidUTF8(line, []byte("?"))))).Debug("message of a library")
	return len(line), nil
}
