package generate

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
)

func issueTypes() []weighted[string] {
	return []weighted[string]{
		{"pothole", 24}, {"road_damage", 18}, {"drainage", 10}, {"flooding", 9}, {"waste", 9}, {"street_light", 8}, {"debris", 5},
		{"water_supply", 5}, {"bridge", 3}, {"sidewalk", 4}, {"traffic_sign", 3}, {"other", 2},
	}
}

func severities() []weighted[string] {
	return []weighted[string]{{"low", 25}, {"medium", 45}, {"high", 22}, {"critical", 8}}
}

// words are the parts of generated texts, in three languages.
type words struct {
	types                                 []weighted[string]
	severities                            []weighted[string]
	nouns                                 map[string][]string // of an issue type
	streets, landmarks, remarks, openings []string
}

func newWords() words {
	return words{
		types: issueTypes(), severities: severities(), streets: streets(), landmarks: landmarks(), remarks: remarks(),
		openings: []string{"On the left side", "Iha estrada klaran", "Do lado direito", "At the bend", "In front of the house"},
		nouns: map[string][]string{
			"pothole":      {"Deep pothole", "Kuak iha estrada", "Buraco na estrada", "Row of potholes"},
			"road_damage":  {"Broken asphalt", "Estrada aat", "Estrada danificada", "Road washed away"},
			"drainage":     {"Blocked drain", "Valeta metin", "Valeta entupida"},
			"flooding":     {"Flooded street", "Bee sae", "Rua inundada"},
			"waste":        {"Rubbish heap", "Lixu barak", "Lixo acumulado"},
			"street_light": {"Dark street light", "Ahi la lakan", "Iluminação avariada"},
			"debris":       {"Fallen tree", "Ai-hun monu", "Árvore caída", "Rocks on the road"},
			"water_supply": {"Burst pipe", "Kanu bee nakfera", "Fuga de água"},
			"bridge":       {"Damaged bridge", "Ponte aat", "Ponte danificada"},
			"sidewalk":     {"Broken pavement", "Passeio aat", "Passeio partido"},
			"traffic_sign": {"Missing sign", "Sinál lakon", "Sinal em falta"},
			"other":        {"Something broken", "Buat ruma aat", "Outro problema"},
		},
	}
}

func streets() []string {
	return []string{"Avenida Nicolau Lobato", "Rua de Caicoli", "Estrada de Balide", "Avenida Almirante Américo Tomás", "Rua Jacinto Cândido",
		"Estrada de Becora", "Avenida de Portugal", "Rua Mártires da Pátria", "Travessa da Praia", "Estrada do Mercado", "Rua da Escola", "Avenida da Liberdade"}
}

func landmarks() []string {
	return []string{"the market", "the primary school", "igreja", "merkadu", "the health post", "uma suku", "the old bridge", "o cemitério",
		"the football field", "the bus stop", "eskola", "the petrol station", "hospital", "the river", "sede do suco"}
}

func remarks() []string {
	return []string{"Motorbikes fall here every week.", "Kareta labele liu.", "As crianças passam aqui para a escola.", "It gets worse after each rain.",
		"Udan boot fulan kotuk.", "Já avisámos duas vezes.", "Very dangerous at night.", "Ambulánsia labele tama.", "Nobody has come yet.",
		"Favor repara lalais.", "A água entra nas casas.", "Half of the lane is gone.", "Since the last holiday.", "Ema barak liu iha ne'e."}
}

func names() ([]string, []string) {
	return []string{"Maria", "João", "Ana", "José", "Domingas", "Agostinho", "Filomena", "Mateus", "Rosa", "Abílio", "Joana", "Celestino", "Teresa", "Lourenço"},
		[]string{"da Costa", "Soares", "Ximenes", "dos Santos", "Pereira", "Guterres", "Freitas", "Amaral", "Belo", "da Silva", "Sarmento", "Mendonça"}
}

func fullName(r *rand.Rand) string {
	given, family := names()
	return one(r, given) + " " + one(r, family)
}

func (w *words) title(r *rand.Rand, issueType, suco string) string {
	return one(r, w.nouns[issueType]) + ", " + suco
}

func (w *words) description(r *rand.Rand) string {
	text := fmt.Sprintf("%s, %d m from %s.", one(r, w.openings), 10+r.IntN(400), one(r, w.landmarks))
	for range r.IntN(4) {
		text += " " + one(r, w.remarks)
	}
	return text
}

// The kinds of rows. Rows of different kinds never share a stream of random numbers.
const (
	ofReport uint64 = iota + 1
	ofPerson
	ofJourney
	ofCluster
	ofVector
	ofNotice
	ofTrack
)

// draw is the stream of random numbers of the i-th row of a kind.
func (w *dataset) draw(kind uint64, i int) *rand.Rand {
	return rand.New(rand.NewPCG(w.Seed^kind<<56, uint64(i)))
}

// newID is a UUIDv7 with a given time.
func newID(at time.Time, r *rand.Rand) uuid.UUID {
	var id uuid.UUID
	ms := uint64(at.UnixMilli())
	for i := range 6 {
		id[i] = byte(ms >> (40 - 8*i))
	}
	high, low := r.Uint64(), r.Uint64()
	for i := range 2 {
		id[6+i] = byte(high >> (8 * i))
	}
	for i := range 8 {
		id[8+i] = byte(low >> (8 * i))
	}
	id[6] = 0x70 | id[6]&0x0f
	id[8] = 0x80 | id[8]&0x3f
	return id
}

func bytes32(r *rand.Rand) []byte {
	out := make([]byte, 0, 32)
	for range 4 {
		for v, i := r.Uint64(), 0; i < 8; i++ {
			out = append(out, byte(v>>(8*i)))
		}
	}
	return out
}

// weighted is a choice with its weight.
type weighted[T any] struct {
	value  T
	weight float64
}

func pick[T any](r *rand.Rand, from []weighted[T]) T {
	var sum float64
	for _, w := range from {
		sum += w.weight
	}
	at := r.Float64() * sum
	for _, w := range from {
		if at -= w.weight; at < 0 {
			return w.value
		}
	}
	return from[len(from)-1].value
}

func one(r *rand.Rand, from []string) string { return from[r.IntN(len(from))] }
