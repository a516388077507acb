package kms

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/lafaekstreet/backend/infra/local/aws/awsjson"
)

type aliasInput struct{ AliasName, TargetKeyId string }

func (s *Service) createAlias(_ context.Context, in aliasInput) (empty, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !strings.HasPrefix(in.AliasName, "alias/") || strings.HasPrefix(in.AliasName, "alias/aws/") {
		return empty{}, awsjson.Errorf("ValidationException", "Alias must start with the prefix \"alias/\".")
	}
	if _, ok := s.state.Aliases[in.AliasName]; ok {
		return empty{}, awsjson.Errorf("AlreadyExistsException", "An alias with the name %s already exists", s.aliasARN(in.AliasName))
	}
	return s.pointAlias(in)
}

func (s *Service) updateAlias(_ context.Context, in aliasInput) (empty, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.state.Aliases[in.AliasName]; !ok {
		return empty{}, awsjson.Errorf("NotFoundException", "Alias %s is not found.", s.aliasARN(in.AliasName))
	}
	return s.pointAlias(in)
}

func (s *Service) pointAlias(in aliasInput) (empty, error) {
	k, err := s.find(in.TargetKeyId)
	if err != nil {
		return empty{}, err
	}
	s.state.Aliases[in.AliasName] = k.ID
	return empty{}, s.save()
}

func (s *Service) deleteAlias(_ context.Context, in aliasInput) (empty, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.state.Aliases[in.AliasName]; !ok {
		return empty{}, awsjson.Errorf("NotFoundException", "Alias %s is not found.", s.aliasARN(in.AliasName))
	}
	delete(s.state.Aliases, in.AliasName)
	return empty{}, s.save()
}

type alias struct{ AliasName, AliasArn, TargetKeyId string }

type listAliasesOutput struct {
	Aliases   []alias
	Truncated bool
}

func (s *Service) listAliases(_ context.Context, in keyInput) (listAliasesOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := listAliasesOutput{Aliases: []alias{}}
	for _, name := range slices.Sorted(maps.Keys(s.state.Aliases)) {
		target := s.state.Aliases[name]
		if in.KeyId == "" || in.KeyId == target || in.KeyId == s.arn(target) {
			out.Aliases = append(out.Aliases, alias{name, s.aliasARN(name), target})
		}
	}
	return out, nil
}
