package hedera

import (
	"crypto/sha512"
	"fmt"
)

// Forge puts contents on a topic as the account payer, without a signature, as anybody can on a topic without a submit
// key. It is for tests. It returns the sequence number.
func (s *Server) Forge(topicID, payer string, contents []byte) (uint64, error) {
	payerNum, err := parseID(payer)
	if err != nil {
		return 0, err
	}
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	t := s.state.topics[mustNum(topicID)]
	if t == nil {
		return 0, fmt.Errorf("hedera: forge: no topic %s", topicID)
	}
	at := s.state.consensusTime()
	hash := sha512.Sum384(contents)
	rec := transaction{
		ID:   fmt.Sprintf("%s@%d.%09d", payer, at.Unix(), at.Nanosecond()),
		Name: "CONSENSUSSUBMITMESSAGE", Payer: payerNum, Node: s.nodes[0].account, Topic: t.Num,
		ValidStart: at, Duration: 120, Consensus: at, Hash: hash[:],
	}
	if err := s.state.commitMessage(rec, t, contents); err != nil {
		return 0, err
	}
	return uint64(len(t.messages)), nil
}
