"""Masks, documents, pages, selections, neighbourhoods, pooling."""
from softmax import *
# masks, structures, gathers
ar=np.arange
def hs(i,scale=None): return E_("hpe,hme->hpm",i.Q,i.K)*(scale or 1/np.sqrt(i.Q.shape[-1]))
HH = "cascade c(Q[H,P,E] : f32, K[H,M,E] : f32, V[H,M,F] : f32%s) -> (%s) {\n"
HS = "S[h,p,m] = Q[h,p,e] * K[h,m,e] / sqrt(|E|)"
def hat(name, extra, outs, body, ref, ins=None, passes=None, **kw):
    case(name, HH % (extra, outs) + body + "\n}\n", ins or (lambda r: hqkv(r)), ref, passes=passes, **kw)
OA = "\nA[h,p,m] = softmax(S[h,p,m]; m)\nO[h,p,f] = A[h,p,m] * V[h,m,f]"
HO = lambda W,i: dict(O=E_("hpm,hmf->hpf",W,i.V))
pm = lambda P=9,M=21: (ar(P)[:,None], ar(M)[None])
hat("m_window","", "O[H,P,F] : f32", HS+" where window(p + |M| - |P|, m, 4)"+OA, lambda i: HO(sm(hs(i),(lambda p,m:(p+12-4<m)&(m<=p+12))(*pm())),i), passes=("M",3,1))
hat("m_sink_window",", ns : index = 2, w : index = 3", "O[H,P,F] : f32", HS+" where (m < ns or p + |M| - |P| - m < w) and causal(; p, m)"+OA, lambda i: HO(sm(hs(i),(lambda p,m:((m<2)|(p+12-m<3))&(m<=p+12))(*pm())),i), passes=("M",3,1))
hat("m_dilated","", "O[H,P,F] : f32", HS+" where (p + 12 - m) mod 3 == 0 and m <= p + 12"+OA, lambda i: HO(sm(hs(i),(lambda p,m:((p+12-m)%3==0)&(m<=p+12))(*pm())),i))
hat("m_blocks","", "O[H,P,F] : f32", HS+" where p div 4 == m div 5 or m mod 7 == 0"+OA, lambda i: HO(sm(hs(i),(lambda p,m:(p//4==m//5)|(m%7==0))(*pm())),i))
hat("m_tensor",", Mk[P,M] : bool", "O[H,P,F] : f32", HS+" where Mk[p,m]"+OA, lambda i: HO(sm(hs(i),i.Mk),i), ins=lambda r: hqkv(r, Mk=r.random((9,21))<.4), passes=("M",3,1))
hat("m_tensor_emptyrow",", Mk[P,M] : bool", "O[H,P,F] : f32, L[H,P] : f32, D[H,P] : f32 empty -1", HS+" where Mk[p,m] and m > 2"+OA+"\nL[h,p]=logsumexp(S[h,p,m]; m)\nD[h,p] = log(sum[m] exp(S[h,p,m])) where any[m] Mk[p,m]", lambda i: (lambda mk: dict(HO(sm(hs(i),mk),i),L=lse(hs(i),mk),D=np.where(i.Mk.any(1),lse(hs(i),mk),-1)))(i.Mk&(ar(21)>2)), ins=lambda r: hqkv(r, Mk=(r.random((9,21))<.4)&(ar(9)%3!=0)[:,None]))
hat("m_bias",", B[H,P,M] : f32", "O[H,P,F] : f32", "S[h,p,m] = (sum[e] Q[h,p,e] * K[h,m,e]) / sqrt(|E|) + B[h,p,m]"+OA, lambda i: HO(sm(hs(i)+i.B),i), ins=lambda r: hqkv(r, B=n(r,3,9,21)), passes=("M",3,1))
hat("m_bias_inf",", B[P,M] : f32", "O[H,P,F] : f32", "S[h,p,m] = (sum[e] Q[h,p,e] * K[h,m,e]) / sqrt(|E|) + B[p,m]"+OA, lambda i: HO(sm(hs(i)+i.B),i), ins=lambda r: hqkv(r, B=np.where((r.random((9,21))<.5)|(ar(21)==0),0.,-inf)), bf=False)
hat("m_relbias",", B[R] : f32", "O[H,P,F] : f32", "rank R = |P| + |M| - 1\nS[h,p,m] = sum[e] Q[h,p,e] * K[h,m,e] / sqrt(|E|)\nT[h,p,m] = S[h,p,m] + B[p - m + |M| - 1]"+OA.replace("S[","T["), lambda i: HO(sm(hs(i)+i.B[pm()[0]-pm()[1]+20]),i), ins=lambda r: hqkv(r, B=n(r,29)), passes=("M",3,1))
hat("m_t5bucket",", B[H,R] : f32", "O[H,P,F] : f32", "S[h,p,m] = sum[e] Q[h,p,e] * K[h,m,e] / sqrt(|E|)\nbk[p,m] = min(bit_length(abs(p-m)), |R|-1)\nT[h,p,m] = S[h,p,m] + B[h,bk[p,m]]"+OA.replace("S[","T["), lambda i: HO(sm(hs(i)+i.B[:,np.minimum([[int(abs(p-m)).bit_length() for m in range(21)] for p in range(9)],3)]),i), ins=lambda r: hqkv(r, B=n(r,3,4)))
hat("m_alibi","", "O[H,P,F] : f32", "S[h,p,m] = sum[e] Q[h,p,e] * K[h,m,e] / sqrt(|E|)\nT[h,p,m] = S[h,p,m] - alibi_slope(; h) * abs(p + |M| - |P| - m) where causal(; p, m)"+OA.replace("S[","T["), lambda i: (lambda p,m: HO(sm(hs(i)-np.array([2.**-4,2.**-8,2.**-2])[:,None,None]*abs(p+12-m),m<=p+12),i))(*pm()), passes=("M",3,1))
hat("m_lens",", len[H] : i32", "O[H,P,F] : f32", HS+" where m < len[h]"+OA, lambda i: HO(sm(hs(i),ar(21)[None,None]<i.len[:,None,None]),i), ins=lambda r: hqkv(r, len=np.array([0,5,21]), K=lambda r: np.where((ar(21)[None,:,None]>=np.array([0,5,21])[:,None,None]),np.nan,n(r,3,21,8))), bf=False)
hat("m_lens_nanv",", len[H] : i64", "O[H,P,F] : f32", HS+" where m < len[h]"+OA, lambda i: dict(O=E_("hpm,hmf->hpf",sm(np.nan_to_num(hs(i)),ar(21)[None,None]<i.len[:,None,None]),np.nan_to_num(i.V))), ins=lambda r: hqkv(r, len=np.array([1,20,13]), V=lambda r: np.where((ar(21)[None,:,None]>=np.array([1,20,13])[:,None,None]),np.nan,n(r,3,21,5))))
hat("m_startend",", lo[P] : i32, hi[P] : i32", "O[H,P,F] : f32", HS+" where lo[p] <= m < hi[p]"+OA, lambda i: HO(sm(hs(i),(ar(21)[None]>=i.lo[:,None])&(ar(21)[None]<i.hi[:,None])),i), ins=lambda r: hqkv(r, lo=r.integers(0,10,9), hi=r.integers(5,21,9)))
case("packed", """cascade c(Q[T,H,E] : f32, K[T,H,E] : f32, V[T,H,F] : f32, cu[L + 1] : i32) -> (O[T,H,F] : f32) {
 Doc[t] = count[s in L] (cu[s+1] <= t)
 S[h,t,u] = Q[t,h,e] * K[u,h,e] / sqrt(|E|) where Doc[t] == Doc[u] and u <= t
 A[h,t,u in T] = softmax(S[h,t,u]; u)
 O[t,h,f] = A[h,t,u] * V[u,h,f] }""".replace("S[h,t,u] =","S[h,t,u in T] =").replace("A[h,t,u] * V[u,h,f]","sum[u in T] A[h,t,u] * V[u,h,f]"), lambda r: dict(Q=n(r,23,2,8),K=n(r,23,2,8),V=n(r,23,2,5),cu=np.array([0,5,5,16,23])),
 lambda i: (lambda d: dict(O=E_("htu,uhf->thf",sm(E_("the,uhe->htu",i.Q,i.K)/np.sqrt(8),(d[:,None]==d[None])&(ar(23)[None]<=ar(23)[:,None])),i.V)))(np.searchsorted(i.cu[1:],ar(23),side="right")), passes=("T",None,1))
case("packed_tail", """cascade c(Q[T,E] : f32, K[T,E] : f32, V[T,F] : f32, cu[L + 1] : i32) -> (O[T,F] : f32) {
 Doc[t] = sum[s in L] cast<i32>(cu[s] <= t)
 S[t,u in T] = Q[t,e] * K[u,e] where Doc[t] == Doc[u] and t < cu[|L|] and u < cu[|L|]
 A[t,u in T] = softmax(S[t,u]; u)
 O[t,f] = sum[u in T] A[t,u] * V[u,f] }""", lambda r: dict(Q=n(r,23,8),K=n(r,23,8),V=n(r,23,5),cu=np.array([0,5,9,17])),
 lambda i: (lambda d: dict(O=sm(i.Q@i.K.T,(d[:,None]==d[None])&(ar(23)<17)[:,None]&(ar(23)<17)[None])@i.V))((i.cu[:-1,None]<=ar(23)).sum(0)))
case("paged", """cascade c(Q[B,H,E] : f32, KC[PG,C,J,E] : f32, VC[PG,C,J,F] : f32, page[B,NP] : i32, len[B] : i32) -> (O[B,H,F] : f32, L[B,H] : f32) {
 split H = (J, G)  rank M = |NP| * |C|
 S[b,j,g,m] = Q[b,(j,g),e] * KC[page[b,m div |C|],m mod |C|,j,e] / sqrt(|E|) where m < len[b]
 X[b,j,g] = max[m] S[b,j,g,m]   N[b,j,g,m] = exp(S[b,j,g,m] - X[b,j,g])   D[b,j,g] = sum[m] N[b,j,g,m]
 O[b,(j,g),f] = sum[m] N[b,j,g,m] / D[b,j,g] * VC[page[b,m div |C|],m mod |C|,j,f]
 L[b,(j,g)] = X[b,j,g] + log(D[b,j,g]) }""", lambda r: dict(Q=n(r,3,4,8),KC=n(r,10,4,2,8),VC=n(r,10,4,2,5),page=np.array([[3,9,1,0,0],[2,77,4,5,-1],[0,6,7,8,9]]),len=np.array([10,20,0])),
 lambda i: (lambda r_: dict(O=np.stack([x[0] for x in r_]),L=np.stack([x[1] for x in r_])))([(lambda pg,ok: (lambda k,v: (lambda S: (E_("hm,mhf->hf",sm(S),v), lse(S)))(np.where(ok,E_("he,mhe->hm",i.Q[b],k)/np.sqrt(8),-inf)))(np.repeat(i.KC[np.where(ok,pg,0),ar(20)%4],2,1),np.repeat(i.VC[np.where(ok,pg,0),ar(20)%4],2,1)))(i.page[b,ar(20)//4],(i.page[b,ar(20)//4]>=0)&(i.page[b,ar(20)//4]<10)&(ar(20)<i.len[b])) for b in range(3)]), passes=("M",3,1))
case("paged_i8", """cascade c(Q[B,H,E] : f32, KC[PG,C,H,E] : i8, KS[PG,C,H] : f32, VC[PG,C,H,F] : f8e4m3, page[B,NP] : i32, len[B] : i32) -> (O[B,H,F] : bf16) {
 rank M = |NP| * |C|
 S[b,h,m] = Q[b,h,e] * KS[page[b,m div |C|],m mod |C|,h] * KC[page[b,m div |C|],m mod |C|,h,e] where m < len[b]
 A[b,h,m] = softmax(S[b,h,m]; m)
 O[b,h,f] = A[b,h,m] * VC[page[b,m div |C|],m mod |C|,h,f] }""", lambda r: dict(Q=n(r,2,3,8),KC=r.integers(-128,128,(7,4,3,8)),KS=r.random((7,4,3))*.01,VC=n(r,7,4,3,6),page=np.array([[3,5,1],[2,0,4]]),len=np.array([11,6])),
 lambda i: (lambda pg: dict(O=E_("bhm,bmhf->bhf",sm(E_("bhe,bmhe,bmh->bhm",i.Q,i.KC[pg,ar(12)%4],i.KS[pg,ar(12)%4]),ar(12)[None,None]<i.len[:,None,None]),i.VC[pg,ar(12)%4])))(i.page[:,ar(12)//4]))
case("gqa_tuple_mqa", """cascade c(Q[B,P,H,E] : f32, K[B,M,J,E] : f32, V[B,M,J,F] : f32) -> (O[B,P,H,F] : f32) {
 split H = (J, G)
 S[b,j,g,p,m] = Q[b,p,(j,g),e] * K[b,m,j,e] where m <= p + |M| - |P|
 A[b,j,g,p,m] = softmax(S[b,j,g,p,m]; m)
 O[b,p,(j,g),f] = A[b,j,g,p,m] * V[b,m,j,f] }""", lambda r: dict(Q=n(r,2,5,6,8),K=n(r,2,11,2,8),V=n(r,2,11,2,7)),
 lambda i: dict(O=E_("bhpm,bmhf->bphf",sm(E_("bphe,bmhe->bhpm",i.Q,np.repeat(i.K,3,2)),causal(5,11)),np.repeat(i.V,3,2))), passes=("M",3,1))
case("gqa_div", """cascade c(Q[P,H,E] : f32, K[M,J,E] : f32, V[M,J,F] : f32) -> (O[P,H,F] : f32) {
 S[h,p,m] = sum[e] Q[p,h,e] * K[m,h div (|H| div |J|),e] / sqrt(|E|)
 O[p,h,f] = sum[m] softmax(S[h,p,m]; m) * V[m,h div (|H| div |J|),f] }""", lambda r: dict(Q=n(r,5,6,8),K=n(r,11,2,8),V=n(r,11,2,7)),
 lambda i: dict(O=E_("hpm,mhf->phf",sm(E_("phe,mhe->hpm",i.Q,np.repeat(i.K,3,1))/np.sqrt(8)),np.repeat(i.V,3,1))), passes=("M",3,1))
case("mla2", """cascade c(QN[H,P,E] : f32, QR[H,P,R] : f32, KC[M,L] : f32, WK[H,L,E] : f32, KR[M,R] : f32, WV[H,L,F] : f32) -> (O[H,P,F] : f32) {
 K[h,m,e] = KC[m,l] * WK[h,l,e]   V[h,m,f] = KC[m,l] * WV[h,l,f]
 S[h,p,m] = ((sum[e] QN[h,p,e] * K[h,m,e]) + (sum[r] QR[h,p,r] * KR[m,r])) / sqrt(|E| + |R|) where m <= p + |M| - |P|
 O[h,p,f] = sum[m] softmax(S[h,p,m]; m) * V[h,m,f] }""", lambda r: dict(QN=n(r,2,5,8),QR=n(r,2,5,4),KC=n(r,13,6),WK=n(r,2,6,8),KR=n(r,13,4),WV=n(r,2,6,7)),
 lambda i: dict(O=E_("hpm,ml,hlf->hpf",sm((E_("hpe,ml,hle->hpm",i.QN,i.KC,i.WK)+E_("hpr,mr->hpm",i.QR,i.KR))/np.sqrt(12),causal(5,13)),i.KC,i.WV)), passes=("M",3,1))
case("mla_absorbed", """cascade c(QN[H,P,E] : f32, QR[H,P,R] : f32, KC[M,L] : f32, WK[H,L,E] : f32, KR[M,R] : f32, WV[H,L,F] : f32) -> (O[H,P,F] : f32) {
 QL[h,p,l] = QN[h,p,e] * WK[h,l,e]
 S[h,p,m] = ((sum[l] QL[h,p,l] * KC[m,l]) + sum[r] QR[h,p,r] * KR[m,r]) / sqrt(|E| + |R|) where m <= p + |M| - |P|
 A[h,p,m] = softmax(S[h,p,m]; m)
 C[h,p,l] = A[h,p,m] * KC[m,l]
 O[h,p,f] = C[h,p,l] * WV[h,l,f] }""", lambda r: dict(QN=n(r,2,5,8),QR=n(r,2,5,4),KC=n(r,13,6),WK=n(r,2,6,8),KR=n(r,13,4),WV=n(r,2,6,7)),
 lambda i: dict(O=E_("hpm,ml,hlf->hpf",sm((E_("hpe,ml,hle->hpm",i.QN,i.KC,i.WK)+E_("hpr,mr->hpm",i.QR,i.KR))/np.sqrt(12),causal(5,13)),i.KC,i.WV)), passes=("M",3,1))
case("moba", """cascade c(Q[H,T,E] : f32, K[H,T,E] : f32, V[H,T,F] : f32) -> (O[H,T,F] : f32) {
 split T = (N, C = 4)
 KM[h,n,e] = mean[c] K[h,(n,c),e]
 R[h,t,n] = if n == t div |C| then inf else sum[e] Q[h,t,e] * KM[h,n,e] where n <= t div |C|
 Sel[h,t,n] = top[n; 3] R[h,t,n]
 S[h,t,(n,c)] = Q[h,t,e] * K[h,(n,c),e] / sqrt(|E|) where Sel[h,t,n] and n*|C| + c <= t
 X[h,t] = max[n,c] S[h,t,(n,c)]
 W[h,t,n,c] = exp(S[h,t,(n,c)] - X[h,t])
 O[h,t,f] = (sum[n,c] W[h,t,n,c] * V[h,(n,c),f]) / sum[n,c] W[h,t,n,c] }""", lambda r: dict(Q=n(r,2,26,8),K=n(r,2,26,8),V=n(r,2,26,5)),
 None, barrier="T", bf=False)
def moba(i):
    H,T,_=i.Q.shape; N=7; KM=np.stack([i.K[:,4*k:4*k+4].mean(1) for k in range(N)],1)
    R=E_("hte,hne->htn",i.Q,KM); own=ar(T)[:,None]//4
    R=np.where(ar(N)[None]==own,inf,np.where(ar(N)[None]<own,R,-inf))
    o=np.argsort(-R,-1,kind="stable")[...,:3]; Sel=np.zeros(R.shape,bool); np.put_along_axis(Sel,o,True,-1); Sel&=ar(N)[None]<=own
    return HO(sm(hs(i),np.repeat(Sel,4,-1)[...,:T]&(ar(T)[None]<=ar(T)[:,None])),i)
CASES[-1]["ref"]=moba
case("block_topk_shared", """cascade c(Q[P,E] : f32, K[M,E] : f32, V[M,F] : f32) -> (O[P,F] : f32, Sel[P,N] : bool) {
 split M = (N, C = 8)  split P = (A, B = 4)
 QB[a,e] = mean[b] Q[(a,b),e]   KB[n,e] = mean[c] K[(n,c),e]
 G[a,n] = QB[a,e] * KB[n,e]
 T[a,n] = top[n; 2] G[a,n]
 Sel[p,n] = T[p div |B|,n]
 S[p,m] = Q[p,e] * K[m,e] / sqrt(|E|) where T[p div |B|,m div |C|]
 O[p,f] = sum[m] softmax(S[p,m]; m) * V[m,f] }""", lambda r: qkv(r,P=10,M=37),
 lambda i: (lambda G: (lambda T: dict(Sel=T[ar(10)//4],O=sm(S_(i),T[ar(10)//4][:,ar(37)//8])@i.V))(G>=np.sort(G,1)[:,-2:][:,:1]))(np.stack([i.Q[4*a:4*a+4].mean(0) for a in range(3)])@np.stack([i.K[8*a:8*a+8].mean(0) for a in range(5)]).T), bf=False)
case("topmass", """cascade c(S[P,M] : f32) -> (T[P,M] : bool, R[P] : i32, Z[P] : f32) {
 A[p,m] = softmax(S[p,m]; m)
 T[p,m] = top_mass[m; 0.7] A[p,m]
 R[p] = count[m] T[p,m]
 Z[p] = sum[m where T[p,m]] A[p,m] }""", lambda r: dict(S=n(r,6,19)*2), lambda i: (lambda A: (lambda o: (lambda k: (lambda T: dict(T=T,R=T.sum(1),Z=(A*T).sum(1)))(np.argsort(o,1)<=k[:,None]))((np.take_along_axis(A,o,1).cumsum(1)>=.7).argmax(1)))(np.argsort(-A,1,kind="stable")))(sm(i.S)), bf=False)
case("sorts", """cascade c(S[P,M] : f32) -> (I[P,M] : i32, Z[P,M] : f32, R[P,M] : i32, mx[P] : i32, mn[P] : i32, T[P,M] : bool) {
 I[p,s in M] = argsort[m; s] S[p,m]   Z[p,s in M] = S[p,I[p,s]]   R[p,m] = place[m] S[p,m]
 mx[p] = argmax[m] S[p,m]  mn[p] = argmin[m] S[p,m]  T[p,m] = top[m; 3] S[p,m] }""", lambda r: dict(S=np.round(n(r,6,19)*2)),
 lambda i: (lambda o: dict(I=o,Z=np.take_along_axis(i.S,o,1),R=np.argsort(o,1),mx=i.S.argmax(1),mn=i.S.argmin(1),T=np.argsort(o,1)<3))(np.argsort(-i.S,1,kind="stable")))
case("coords", """cascade c(Mk[P,M] : bool, V[M,F] : f32) -> (I[P,K] : i32 empty -1, Y[P,K,F] : f32, N[P] : i32) {
 rank K = 4
 C[p,k] = coordinates[m; k] Mk[p,m]
 I[p,k] = C[p,k]   Y[p,k,f] = V[C[p,k],f]   N[p] = count[m] Mk[p,m] }""", lambda r: dict(Mk=r.random((6,11))<.3,V=n(r,11,3)),
 lambda i: (lambda L: dict(N=i.Mk.sum(1),I=np.array([(l+[-1]*4)[:4] for l in L]),Y=np.array([[i.V[x] if x>=0 else np.zeros(3) for x in (l+[-1]*4)[:4]] for l in L])))([list(np.flatnonzero(r)) for r in i.Mk]))
case("gathered_topk", """cascade c(Q[P,E] : f32, K[M,E] : f32, V[M,F] : f32) -> (O[P,F] : f32) {
 rank R = 6
 G[p,m] = Q[p,e] * K[m,e] where m <= p + 3
 I[p,r] = argsort[m; r] G[p,m]
 S[p,r] = Q[p,e] * K[I[p,r],e] / sqrt(|E|)
 A[p,r] = softmax(S[p,r]; r)
 O[p,f] = A[p,r] * V[I[p,r],f] }""", lambda r: qkv(r,P=8,M=19), lambda i: (lambda S: (lambda T: dict(O=sm(S/4,T)@i.V))((S>=-np.sort(-S,1)[:,5:6])&(S>-inf)))(np.where(ar(19)[None]<=ar(8)[:,None]+3,i.Q@i.K.T,-inf)), barrier="M", bf=False)
case("natten", """cascade c(Q[X,Y,E] : f32, K[X,Y,E] : f32, V[X,Y,F] : f32) -> (O[X,Y,F] : f32) {
 param w : index = 3
 S[x,y,i in X,j in Y] = Q[x,y,e] * K[i,j,e] / sqrt(|E|) where abs(i - clamp(x, w div 2, |X| - 1 - w div 2)) <= w div 2 and abs(j - clamp(y, w div 2, |Y| - 1 - w div 2)) <= w div 2
 B[x,y] = max[i in X, j in Y] S[x,y,i,j]
 N[x,y,i in X,j in Y] = exp(S[x,y,i,j] - B[x,y])
 O[x,y,f] = (sum[i in X, j in Y] N[x,y,i,j] * V[i,j,f]) / sum[i in X, j in Y] N[x,y,i,j] }""".replace("S[x,y,i in X,j in Y] = Q[x,y,e] * K[i,j,e] / sqrt(|E|)","S[x,y,i in X,j in Y] = sum[e] Q[x,y,e] * K[i,j,e] / sqrt(|E|)"), lambda r: dict(Q=n(r,6,7,4),K=n(r,6,7,4),V=n(r,6,7,3)),
 lambda i: (lambda mx,my: dict(O=E_("xyij,ijf->xyf",sm((E_("xye,ije->xyij",i.Q,i.K)/2).reshape(6,7,-1),(mx[:,None,:,None]&my[None,:,None,:]).reshape(6,7,-1)).reshape(6,7,6,7),i.V)))(abs(ar(6)[None]-np.clip(ar(6),1,4)[:,None])<=1,abs(ar(7)[None]-np.clip(ar(7),1,5)[:,None])<=1))
case("offsets1d", """cascade c(Q[P,E] : f32, K[P,E] : f32, V[P,F] : f32) -> (O[P,F] : f32) {
 rank W = 5
 S[p,w] = Q[p,e] * K[p+w-2,e] / sqrt(|E|)
 A[p,w] = softmax(S[p,w]; w)
 O[p,f] = A[p,w] * V[p+w-2,f] }""", lambda r: dict(Q=n(r,11,8),K=n(r,11,8),V=n(r,11,5)), lambda i: dict(O=sm(i.Q@i.K.T/np.sqrt(8),abs(ar(11)[None]-ar(11)[:,None])<=2)@i.V), passes=("W",3,1))
case("dwconv", """cascade c(K[T,D] : f32, Wc[W,D] : f32) -> (Y[T,D] : f32, Z[T,D] : f32) {
 Y[t,d] = silu(sum[w] Wc[w,d] * K[t-w,d]) + K[t,d]
 Z[t,d] = sum[w] Wc[w,d] * (K[t-w,d] else 0) }""", lambda r: dict(K=n(r,13,6),Wc=n(r,4,6)), lambda i: (lambda z: dict(Z=z,Y=z/(1+np.exp(-z))+i.K))(sum(i.Wc[w]*np.concatenate([np.zeros((w,6)),i.K[:13-w]]) for w in range(4))))
case("conv2d", """cascade c(A[X,Y,C] : f32, Wt[R,S,C,D] : f32) -> (O[X,Y,D] : f32) {
 O[x,y,d] = sum[r,s,c] Wt[r,s,c,d] * A[x+r-1,y+s-1,c] }""", lambda r: dict(A=n(r,5,6,3),Wt=n(r,3,3,3,4)), lambda i: (lambda P: dict(O=sum(P[r:r+5,s:s+6]@i.Wt[r,s] for r in range(3) for s in range(3))))(np.pad(i.A,((1,1),(1,1),(0,0)))))
case("pool_attn", """cascade c(Q[P,E] : f32, K[M,E] : f32, V[M,F] : f32) -> (O[P,F] : f32) {
 split M = (N, C = 5)
 KP[n,e] = mean[c] K[(n,c),e]   VP[n,f] = mean[c] V[(n,c),f]
 S[p,n] = Q[p,e] * KP[n,e] / sqrt(|E|)
 O[p,f] = sum[n] softmax(S[p,n]; n) * VP[n,f] }""", lambda r: qkv(r), lambda i: (lambda pl: dict(O=sm(i.Q@pl(i.K).T/4)@pl(i.V)))(lambda x: np.stack([x[5*k:5*k+5].mean(0) for k in range(8)])), passes=None)
case("pool_sm_attn", """cascade c(Q[P,E] : f32, K[M,E] : f32, V[M,F] : f32, w[E] : f32) -> (O[P,F] : f32) {
 split M = (N, C = 5)
 g[n,c] = w[e] * K[(n,c),e]
 a[n,c] = softmax(g[n,c]; c)
 KP[n,e] = sum[c] a[n,c] * K[(n,c),e]   VP[n,f] = sum[c] a[n,c] * V[(n,c),f]
 S[p,n] = Q[p,e] * KP[n,e] / sqrt(|E|)
 B[p,n] = softmax(S[p,n]; n)
 O[p,f] = B[p,n] * VP[n,f] }""", lambda r: qkv(r,w=n(r,16)), lambda i: (lambda a: (lambda pl: dict(O=sm(i.Q@pl(i.K).T/4)@pl(i.V)))(lambda x: np.stack([a[k]@x[5*k:5*k+5] for k in range(8)])))([sm((i.K@i.w)[5*k:5*k+5]) for k in range(8)]))
case("landmark2", """cascade c(Q[P,E] : f32, K[M,E] : f32, V[M,F] : f32, Lm[L,E] : f32) -> (O[P,F] : f32) {
 S1[l,m] = Lm[l,e] * K[m,e]   Z[l,f] = sum[m] softmax(S1[l,m]; m) * V[m,f]
 S2[p,l] = Q[p,e] * Lm[l,e]   O[p,f] = sum[l] softmax(S2[p,l]; l) * Z[l,f] }""", lambda r: qkv(r,Lm=n(r,4,16)*.3), lambda i: dict(O=sm(i.Q@i.Lm.T)@(sm(i.Lm@i.K.T)@i.V)), passes=("M",3,1))
case("chunked_attn", """cascade c(Q[T,E] : f32, K[T,E] : f32, V[T,F] : f32) -> (O[T,F] : f32) {
 split T = (N, C = 8)
 S[n,c,d in C] = Q[(n,c),e] * K[(n,d),e] / sqrt(|E|) where d <= c
 A[n,c,d in C] = softmax(S[n,c,d]; d)
 O[(n,c),f] = sum[d in C] A[n,c,d] * V[(n,d),f] }""".replace("= Q[(n,c),e] *","= sum[e] Q[(n,c),e] *"), lambda r: dict(Q=n(r,21,8),K=n(r,21,8),V=n(r,21,5)), lambda i: dict(O=sm(i.Q@i.K.T/np.sqrt(8),(ar(21)[None]//8==ar(21)[:,None]//8)&(ar(21)[None]<=ar(21)[:,None]))@i.V))
case("ptr_lists", """cascade c(Q[T,E] : f32, K[T,E] : f32, V[T,F] : f32, ptr[R + 1] : i32, col[Z] : i32) -> (O[T,F] : f32) {
 split T = (R, A = 4)
 S[r,a,z,c in A] = sum[e] Q[(r,a),e] * K[(col[z],c),e] where ptr[r] <= z < ptr[r+1]
 X[r,a] = max[z, c in A] S[r,a,z,c]
 N[r,a,z,c in A] = exp(S[r,a,z,c] - X[r,a])
 D[r,a] = sum[z, c in A] N[r,a,z,c]
 O[(r,a),f] = (sum[z, c in A] N[r,a,z,c] * V[(col[z],c),f]) / D[r,a] where D[r,a] > 0 }""", lambda r: dict(Q=n(r,12,8)*.4,K=n(r,12,8),V=n(r,12,5),ptr=np.array([0,2,2,5]),col=np.array([0,2,1,0,2])),
 lambda i: (lambda bm: dict(O=sm(i.Q@i.K.T,np.kron(bm,np.ones((4,4)))>0)@i.V))(np.array([[1,0,1],[0,0,0],[1,1,1]])), args=[])
case("natural_or", """cascade c(Q[P,E] : f32, K[M,E] : f32, V[M,F] : f32, ok[M] : bool, seg[P] : i32, segk[M] : i32) -> (O[P,F] : f32) {
 S[p,m] = Q[p,e] * K[m,e] / sqrt(|E|) where ok[m] and (seg[p] == segk[m] or m == 0) and not (m mod 4 == 3)
 O[p,f] = sum[m] softmax(S[p,m]; m) * V[m,f] }""", lambda r: qkv(r,ok=r.random(37)<.8,seg=r.integers(0,3,7),segk=r.integers(0,3,37)), lambda i: dict(O=sm(S_(i),i.ok[None]&((i.seg[:,None]==i.segk[None])|(ar(37)==0)[None])&(ar(37)%4!=3)[None])@i.V), passes=("M",3,1))
case("tree", """cascade c(Q[T,E] : f32, K[M,E] : f32, V[M,F] : f32, par[T] : i32) -> (O[T,F] : f32) {
 rank D = 4
 base = |M| - |T|
 Anc[t,d] : i32 = if d == 0 then t else par[Anc[t,d-1]] init -1
 S[t,m] = Q[t,e] * K[m,e] / sqrt(|E|) where m < |M| - |T| or any[d] (Anc[t,d] + |M| - |T| == m)
 O[t,f] = sum[m] softmax(S[t,m]; m) * V[m,f] }""".replace(" base = |M| - |T|\n",""), lambda r: dict(Q=n(r,6,8),K=n(r,14,8),V=n(r,14,5),par=np.array([-1,0,0,1,1,4])),
 lambda i: (lambda mk: dict(O=sm(S_(i),np.concatenate([np.ones((6,8),bool),mk],1))@i.V))(np.array([[1,0,0,0,0,0],[1,1,0,0,0,0],[1,0,1,0,0,0],[1,1,0,1,0,0],[1,1,0,0,1,0],[1,1,0,0,1,1]],bool)))
