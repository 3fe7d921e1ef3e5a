package sql

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/go-sql-driver/mysql"

	"mailweir/internal/table/remote"
)

// Error numbers of a server that takes no more connections: of all, of this user, by a quota.
const (
	mysqlTooMany     = 1040
	mysqlUserTooMany = 1203
	mysqlQuota       = 1226
)

// mysqlLost are the errors in answer to a query that speak of the connection or the whole server.
var mysqlLost = map[uint16]bool{
	mysqlTooMany: true, mysqlUserTooMany: true, mysqlQuota: true,
	1045: true, 1053: true, 1077: true, 1079: true, 1152: true, 1153: true, 1158: true, 1159: true, 1160: true, 1161: true,
	1184: true, 1927: true, 3169: true, 4031: true,
}

// mysqlDialError is the error of connecting.
func mysqlDialError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("no answer while connecting: %w", ctx.Err())
	}
	var said *mysql.MySQLError
	if errors.As(err, &said) && (said.Number == mysqlTooMany || said.Number == mysqlUserTooMany || said.Number == mysqlQuota) {
		return errFull{err}
	}
	return err
}

// mysqlError is the error of a statement: most are the server's answer to it.
func mysqlError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("no answer to the query: %w", ctx.Err())
	}
	var said *mysql.MySQLError
	if errors.As(err, &said) && !mysqlLost[said.Number] {
		return remote.Answered{Err: err}
	}
	return err
}

// mysqlText is a value as the server has written it. The driver makes numbers of numbers.
func mysqlText(value any) string {
	switch v := value.(type) {
	case []byte:
		return string(v)
	case string:
		return v
	case float32:
		return mysqlFloat(float64(v), 32)
	case float64:
		return mysqlFloat(v, 64)
	}
	return fmt.Sprint(value)
}

// mysqlFloat writes the shortest number that is the same, with an exponent where it would have many
// zeros.
func mysqlFloat(v float64, bits int) string {
	digits, exponent, _ := strings.Cut(strconv.FormatFloat(v, 'e', -1, bits), "e")
	n, err := strconv.Atoi(exponent)
	whole := len(strings.Trim(digits, "-")) <= n+2 // with the point
	if err != nil || -15 <= n && (n < 15 || !whole) {
		return strconv.FormatFloat(v, 'f', -1, bits)
	}
	return digits + "e" + strconv.Itoa(n)
}
