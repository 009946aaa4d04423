package main

import (
	"context"

	"github.com/likely-ml/likely/report"
)

func comparable(subjects []*subject) error { return nil }

func (a *app) comparison(ctx context.Context, subjects []*subject, command string) (*report.Page, error) {
	return nil, nil
}
